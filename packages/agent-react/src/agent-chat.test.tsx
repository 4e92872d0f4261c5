// @vitest-environment happy-dom

import {
  act,
  cleanup,
  configure,
  fireEvent,
  render,
  screen,
  waitFor,
  within,
} from "@testing-library/react";
import { doneData, encodeEvent, type StreamPart } from "@valet/protocol";
import { Activity, type ReactNode, StrictMode, useEffect, useState } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as exported from "./index.ts";
import {
  AgentChat,
  type AgentChatProps,
  AgentProvider,
  type AgentProviderProps,
  AgentThreadHistory,
  useAgentChat,
} from "./index.ts";

/** The network of the page: the agent's `fetch` goes to `globalThis.fetch`, as it does in a page. */
const network = {
  answers: [] as (() => Promise<Response> | Response)[],
  chats: [] as Record<string, unknown>[],
  tokens: 0,
};

// A busy machine is no failure.
configure({ asyncUtilTimeout: 10_000 });

beforeEach(() => {
  Object.assign(network, { answers: [], chats: [], tokens: 0 });
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    if (!url.endsWith("/chat/")) return new Response("{}", { status: 200 });
    network.chats.push(JSON.parse(String(init.body)) as Record<string, unknown>);
    const next = network.answers.length > 1 ? network.answers.shift() : network.answers[0];
    return next ? next() : stream(answerOf("Hello there."));
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function answerOf(...pieces: string[]): StreamPart[] {
  return [
    {
      type: "start",
      messageId: `msg_${network.chats.length}`,
      messageMetadata: { threadId: "thr_1", runId: "run_1" },
    },
    { type: "text-start", id: "t" },
    ...pieces.map((delta): StreamPart => ({ type: "text-delta", id: "t", delta })),
    { type: "text-end", id: "t" },
    { type: "finish", finishReason: "stop" },
  ];
}

function stream(parts: readonly StreamPart[], waitsFor?: Promise<void>): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (const [seq, part] of parts.entries()) {
        if (seq === 2) await waitsFor;
        const event = encodeEvent({ id: `run_1:${seq}`, data: JSON.stringify(part) });
        try {
          controller.enqueue(encoder.encode(event));
        } catch {
          // The reader has left.
          return;
        }
      }
      controller.enqueue(encoder.encode(encodeEvent({ id: "", data: doneData })));
      controller.close();
    },
  });
  return new Response(body, { headers: { "x-thread-id": "thr_1", "x-run-id": "run_1" } });
}

function Page({
  chat = {},
  ...props
}: Partial<AgentProviderProps> & { chat?: AgentChatProps }): ReactNode {
  return (
    <StrictMode>
      <AgentProvider
        projectId="prj_1"
        integrationId="int_1"
        baseUrl="https://valet.example"
        getSessionToken={async () => {
          network.tokens += 1;
          return { session_token: `token-${network.tokens}`, expires_in: 3600 };
        }}
        {...props}
      >
        <AgentChat {...chat} />
      </AgentProvider>
    </StrictMode>
  );
}

const field = () => screen.getByRole("textbox", { name: "Message" });

function send(text: string): void {
  fireEvent.change(field(), { target: { value: text } });
  fireEvent.keyDown(field(), { key: "Enter" });
}

const answers = () => screen.queryAllByRole("article", { name: "Assistant" });

test("mounting, strict mode and new inline callbacks cause no call and no reset", async () => {
  const { rerender } = render(<Page />);
  for (let round = 0; round < 3; round += 1) rerender(<Page onEvent={() => undefined} />);
  fireEvent.focus(field());
  expect(network.tokens).toBe(0);
  send("Hi");
  await screen.findByText("Hello there.", { selector: "p" });
  rerender(<Page onEvent={() => undefined} />);
  expect(screen.getByText("Hello there.", { selector: "p" })).toBeTruthy();
  send("Again");
  await waitFor(() => expect(answers()).toHaveLength(2));
  expect(network.tokens).toBe(1);
});

test("mounting and taking away again, with and without strict mode, calls nothing", async () => {
  const plain = (
    <AgentProvider
      projectId="prj_1"
      integrationId="int_1"
      getSessionToken={async () => {
        network.tokens += 1;
        return { session_token: "t" };
      }}
    >
      <AgentChat />
    </AgentProvider>
  );
  for (let round = 0; round < 5; round += 1) {
    for (const page of [plain, <Page key="strict" />]) render(page).unmount();
  }
  await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
  expect(network.tokens).toBe(0);
});

test("another user ends session and conversation", async () => {
  const { rerender } = render(<Page userKey="a" />);
  send("Hi");
  await screen.findByText("Hello there.", { selector: "p" });
  rerender(<Page userKey="b" />);
  await waitFor(() => expect(answers()).toHaveLength(0));
  send("Hi");
  await screen.findByText("Hello there.", { selector: "p" });
  expect(network.tokens).toBe(2);
  expect(network.chats.map(({ id }) => id)).toEqual([undefined, undefined]);
});

test("a provider that an Activity hides and shows again begins anew, and works", async () => {
  const shown = (mode: "visible" | "hidden") => (
    <Activity mode={mode}>
      <Page />
    </Activity>
  );
  const { rerender } = render(shown("visible"));
  send("Hi");
  await screen.findByText("Hello there.", { selector: "p" });
  rerender(shown("hidden"));
  // What stays away is gone a moment later.
  await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
  rerender(shown("visible"));
  await waitFor(() => expect(answers()).toHaveLength(0));
  send("Again");
  await screen.findByText("Hello there.", { selector: "p" });
  expect(network.chats).toHaveLength(2);
});

/** Loads a list for each user, and shows how many came and what failed. */
function Lists({ user }: { readonly user: string }): ReactNode {
  const { listThreads } = useAgentChat();
  const [ends, setEnds] = useState<readonly string[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another user's list is another one
  useEffect(() => {
    listThreads().then(
      () => setEnds((known) => [...known, "list"]),
      (error: { code: string }) => setEnds((known) => [...known, error.code]),
    );
  }, [user, listThreads]);
  return <p>{ends.join(" and ")}</p>;
}

test("what loads in an effect at another user is asked for as that user", async () => {
  const asked: (string | null)[] = [];
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    asked.push(new Headers(init.headers).get("authorization"));
    return Response.json({ threads: [], next_cursor: null });
  });
  const shown = (user: string) => (
    <AgentProvider
      projectId="prj_1"
      integrationId="int_1"
      baseUrl="https://valet.example"
      enableHistory
      userKey={user}
      getSessionToken={async () => ({ session_token: `of-${user}`, expires_in: 3600 })}
    >
      <Lists user={user} />
    </AgentProvider>
  );
  const { rerender } = render(shown("a"));
  await screen.findByText("list");
  rerender(shown("b"));
  await screen.findByText("list and list");
  expect(asked).toEqual(["Bearer of-a", "Bearer of-b"]);
});

test("the list of conversations of one user is not shown to the next", async () => {
  let user = "a";
  vi.stubGlobal("fetch", async () => {
    const at = "2026-03-17T09:54:51Z";
    const thread = { id: "thr_1", title: `of ${user}`, created_at: at, updated_at: at };
    return Response.json({ threads: [{ ...thread, message_count: 1 }], next_cursor: null });
  });
  const shown = () => (
    <AgentProvider
      projectId="prj_1"
      integrationId="int_1"
      baseUrl="https://valet.example"
      enableHistory
      userKey={user}
      getSessionToken={async () => ({ session_token: `of-${user}`, expires_in: 3600 })}
    >
      <AgentThreadHistory />
    </AgentProvider>
  );
  const { rerender } = render(shown());
  await screen.findByText("of a");
  user = "b";
  rerender(shown());
  expect(screen.queryByText("of a")).toBeNull();
  await screen.findByText("of b");
});

test("an example prompt is sent as it stands, and the empty state is gone", async () => {
  render(<Page chat={{ branding: { examplePrompts: ["How do I begin?"] } }} />);
  fireEvent.click(screen.getByRole("button", { name: "How do I begin?" }));
  await screen.findByText("Hello there.", { selector: "p" });
  expect(screen.queryByText("What can I help with?")).toBeNull();
  expect(JSON.stringify(network.chats[0])).toContain("How do I begin?");
});

test("while an answer is written the next message waits in sight and can be taken back", async () => {
  let release = (): void => undefined;
  const waitsFor = new Promise<void>((resolve) => {
    release = resolve;
  });
  network.answers = [() => stream(answerOf("First."), waitsFor)];
  render(<Page />);
  send("one");
  send("two");
  send("three");
  fireEvent.click(await screen.findByRole("button", { name: "Cancel this message: two" }));
  expect(screen.queryByText("two")).toBeNull();
  network.answers.push(() => stream(answerOf("Second.")));
  await act(async () => release());
  await waitFor(() => expect(answers()).toHaveLength(2));
  expect(network.chats).toHaveLength(2);
});

test("the stop button and Escape stop the answer, and the field stays usable", async () => {
  for (const stop of ["button", "key"]) {
    network.answers = [() => stream(answerOf("Never."), new Promise(() => undefined))];
    render(<Page />);
    send("one");
    const button = await screen.findByRole("button", { name: "Stop the answer" });
    if (stop === "button") fireEvent.click(button);
    else fireEvent.keyDown(field(), { key: "Escape" });
    await screen.findByText("Stopped");
    expect(screen.queryByText("Never.")).toBeNull();
    expect(field().hasAttribute("disabled")).toBe(false);
    cleanup();
  }
});

test("a session that cannot be started is told as an alert, and trying again recovers", async () => {
  let isDown = true;
  render(
    <Page
      getSessionToken={async () => {
        if (isDown) throw Object.assign(new Error("down"), { status: 400 });
        return { token: "t" };
      }}
    />,
  );
  send("Hi");
  const alert = await screen.findByRole("alert");
  const failed = screen.getByRole("article", { name: "Assistant" });
  expect(alert.textContent).toContain("Your session could not be started");
  isDown = false;
  fireEvent.click(within(failed).getByRole("button", { name: "Try again" }));
  await screen.findByText("Hello there.", { selector: "p" });
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getAllByRole("article", { name: "You" })).toHaveLength(1);
});

test("whoever is signed out, or kept out, is told so and not to check their connection", async () => {
  for (const [status, words] of [
    [401, "Sign in to use the assistant."],
    [403, "You may not use the assistant."],
  ] as const) {
    render(
      <Page
        getSessionToken={async () => {
          throw Object.assign(new Error("no"), { status });
        }}
      />,
    );
    send("Hi");
    expect((await screen.findByRole("alert")).textContent).toContain(words);
    cleanup();
  }
});

test("a tool waits for the person, who sees what it would do", async () => {
  const ran: unknown[] = [];
  const call: StreamPart[] = [
    { type: "start", messageId: "msg_1", messageMetadata: { threadId: "thr_1", runId: "run_1" } },
    {
      type: "tool-input-available",
      toolCallId: "c",
      toolName: "paint",
      input: { color: "red" },
      dynamic: true,
    },
    { type: "finish", finishReason: "tool-calls" },
  ];
  network.answers = [() => stream(call), () => stream(answerOf("Painted."))];
  render(
    <Page
      tools={[
        {
          name: "paint",
          displayName: "Paint the page",
          description: "Paints.",
          parameters: { type: "object" },
          needsApproval: true,
          execute: (args: unknown) => {
            ran.push(args);
            return "ok";
          },
        },
      ]}
    />,
  );
  send("Paint it");
  const allow = await screen.findByRole("button", { name: "Allow" });
  expect(screen.getByText(/Paint the page/, { selector: ".valet-tool-title" })).toBeTruthy();
  expect(screen.getByText("red").closest("dl")?.textContent).toBe("colorred");
  expect(ran).toEqual([]);
  fireEvent.click(allow);
  await screen.findByText("Painted.", { selector: "p" });
  expect(ran).toEqual([{ color: "red" }]);
});

test("screen readers hear the state, and the answer once when it is whole", async () => {
  render(<Page />);
  const log = screen.getByRole("log");
  expect(log.getAttribute("aria-live")).toBe("off");
  const status = screen.getAllByRole("status");
  expect(status).toHaveLength(1);
  send("Hi");
  await screen.findByText("Hello there.", { selector: "p" });
  await waitFor(() => expect(status[0]?.textContent).toBe("Hello there."));
});

test("text that a person typed is never Markdown", async () => {
  render(<Page />);
  send("**bold** <b>x</b>");
  await screen.findByText("Hello there.", { selector: "p" });
  expect(screen.getByText("**bold** <b>x</b>")).toBeTruthy();
});

test("history says that it is not there instead of nothing", async () => {
  render(<Page enableHistory />);
  vi.stubGlobal(
    "fetch",
    async () =>
      new Response(
        JSON.stringify({ code: "history_needs_owner", status: 409, title: "t", detail: "d" }),
        {
          status: 409,
        },
      ),
  );
  fireEvent.click(screen.getByRole("button", { name: "Past conversations" }));
  await screen.findByText("Past conversations are not available in this session.");
  fireEvent.click(screen.getByRole("button", { name: "Back to the conversation" }));
  expect(field()).toBeTruthy();
});

test("the package exports these names and no others", () => {
  expect(Object.keys(exported).sort()).toEqual([
    "AgentChat",
    "AgentFooter",
    "AgentInput",
    "AgentLauncher",
    "AgentMessageBubble",
    "AgentPanel",
    "AgentProvider",
    "AgentThreadHistory",
    "ExamplePrompts",
    "HistoryDisabledError",
    "SessionWithoutOwnerError",
    "SourceTiles",
    "ThreadNotFoundError",
    "ToolCallCard",
    "ToolCallGroup",
    "conversationToMarkdown",
    "createToolHelper",
    "english",
    "resolveTheme",
    "sessionEndpoint",
    "useAgentChat",
    "useAgentColorScheme",
    "useAgentStatus",
    "useMessage",
    "useMessageIds",
    "usePendingApprovals",
  ]);
});
