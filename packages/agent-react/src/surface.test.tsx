// @vitest-environment happy-dom

import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import type { Agent, ConversationMessage } from "@valet/agent-core";
import { type ReactNode, useState } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AgentContext, type AgentTool, useAgentContext } from "./agent-context.ts";
import {
  AgentChat,
  AgentFooter,
  AgentLauncher,
  AgentMessageBubble,
  AgentProvider,
  type AgentProviderProps,
  conversationToMarkdown,
  SourceTiles,
  ToolCallCard,
  type ToolCallDisplay,
  ToolCallGroup,
  useMessageIds,
} from "./index.ts";
import { german } from "./locales/de.ts";
import { createLabels, english } from "./translation.ts";

/** What is told in the console, which would be noise here. */
const told = { errors: [] as unknown[], warnings: [] as unknown[] };
beforeEach(() => {
  Object.assign(told, { errors: [], warnings: [] });
  vi.spyOn(console, "error").mockImplementation(
    (...said) => void told.errors.push(said.map(String).join(" ")),
  );
  vi.spyOn(console, "warn").mockImplementation((text) => void told.warnings.push(text));
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

function Provider(props: Partial<AgentProviderProps>): ReactNode {
  return (
    <AgentProvider
      projectId="prj_1"
      integrationId="int_1"
      getSessionToken={() => Promise.reject(new Error("not in this test"))}
      {...props}
    />
  );
}

const call = (changes: Partial<ToolCallDisplay> = {}): ToolCallDisplay => ({
  id: "c1",
  name: "invite",
  status: "completed",
  arguments: { email: "ada@example.com" },
  result: "sent",
  ...changes,
});

const card = (toolCall: ToolCallDisplay): ReactNode => (
  <ToolCallCard toolCall={toolCall} onApprove={() => undefined} onReject={() => undefined} />
);

let isBroken = false;
function Title(): ReactNode {
  if (isBroken) throw new Error("broken title");
  return "Acme";
}

test("a fault in the chat shows in its place, leaves the page alone, and can be tried again", () => {
  isBroken = true;
  render(
    <Provider>
      <h1>The page</h1>
      <AgentChat branding={{ title: <Title /> }} />
    </Provider>,
  );
  expect(screen.getByRole("heading", { name: "The page" })).toBeTruthy();
  expect(screen.getByRole("alert").textContent).toContain("The rest of the page goes on working");
  isBroken = false;
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByText("Acme")).toBeTruthy();
});

test("without a provider the chat says so in the console, and the page stays", () => {
  render(
    <>
      <h1>The page</h1>
      <AgentChat />
    </>,
  );
  expect(screen.getByRole("heading", { name: "The page" })).toBeTruthy();
  expect(told.errors.join("\n")).toContain("Put an <AgentProvider> around");
});

test("a tool's own drawing counts; where it draws nothing, or fails, the card stands in", () => {
  const drawn: AgentTool["render"] = ({ status, args, onApprove }) => {
    if (status === "error") throw new Error("broken drawing");
    if (status !== "approval_requested") return null;
    return (
      <button type="button" onClick={onApprove}>
        Invite {(args as { email: string }).email}
      </button>
    );
  };
  const tool: AgentTool = {
    name: "invite",
    displayName: "Invite a colleague",
    description: "Invites.",
    parameters: { type: "object" },
    execute: () => undefined,
    render: drawn,
  };
  const approved: string[] = [];
  const shown = (toolCall: ToolCallDisplay): ReactNode => (
    <Provider tools={[tool]}>
      <ToolCallCard
        toolCall={toolCall}
        onApprove={(id) => approved.push(id)}
        onReject={() => undefined}
      />
    </Provider>
  );
  const { rerender } = render(shown(call({ status: "approval_requested" })));
  fireEvent.click(screen.getByRole("button", { name: "Invite ada@example.com" }));
  expect(approved).toEqual(["c1"]);
  rerender(shown(call({ status: "error", error: "no such person" })));
  expect(screen.getByText("no such person")).toBeTruthy();
  rerender(shown(call()));
  expect(screen.getByRole("region", { name: "Invite a colleague" }).textContent).toContain("Done");
});

test("a tool's result of any kind and size is shown and breaks nothing", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const result of [
    circular,
    10n,
    "x".repeat(100_000),
    null,
    [],
    { a: { b: 1 } },
    Symbol("s"),
  ]) {
    render(<Provider>{card(call({ result }))}</Provider>);
    const text = screen.getByRole("region", { name: "invite" }).textContent ?? "";
    expect(text).toContain("Result");
    expect(text.length).toBeLessThan(21_000);
    cleanup();
  }
});

test("calls that were made together are a group with a name", () => {
  render(
    <Provider>
      <ToolCallGroup>
        {card(call())}
        {card(call({ id: "c2" }))}
      </ToolCallGroup>
    </Provider>,
  );
  expect(screen.getByRole("group", { name: "2 steps" })).toBeTruthy();
});

test("the attribution can be turned off, and what the page adds stays", () => {
  const footer = (node: ReactNode) => {
    const text = render(<Provider>{node}</Provider>).container.textContent;
    cleanup();
    return text;
  };
  expect(footer(<AgentFooter />)).toBe("Built with Valet");
  expect(footer(<AgentFooter branding={{ footerExtra: "Help" }} />)).toBe("Built with ValetHelp");
  expect(footer(<AgentFooter branding={{ footerExtra: "Help", attribution: false }} />)).toBe(
    "Help",
  );
  expect(footer(<AgentFooter branding={{ attribution: false }} />)).toBe("");
});

test("a prop in other letters is told in development, once, with the one that was meant", () => {
  const props = { sourceGroupIDsInclude: ["a"] } as Partial<AgentProviderProps>;
  for (let round = 0; round < 2; round += 1) {
    render(<Provider {...props} />);
    cleanup();
  }
  expect(told.warnings).toEqual([
    "AgentProvider has no prop `sourceGroupIDsInclude`; it does nothing. Did you mean `sourceGroupIdsInclude`?",
  ]);
});

test("the launcher opens the panel, and closing it gives the focus back", () => {
  const events: string[] = [];
  render(
    <Provider onEvent={({ type }) => void events.push(type)}>
      <AgentLauncher />
    </Provider>,
  );
  const button = screen.getByRole("button", { name: "Ask the assistant" });
  button.focus();
  fireEvent.click(button);
  expect(button.getAttribute("aria-expanded")).toBe("true");
  expect(document.activeElement).toBe(screen.getByRole("textbox", { name: "Message" }));
  fireEvent.keyDown(document.activeElement ?? document.body, { key: "Escape" });
  expect(document.activeElement).toBe(button);
  expect(events).toEqual(["panel_opened", "panel_closed"]);
});

test("sources of an app that knows no numbers are shown by their titles", () => {
  const source = { title: "Limits", sourceUrl: "https://docs.example.com/limits" };
  render(
    <Provider>
      <SourceTiles sources={[source]} />
    </Provider>,
  );
  expect(screen.getByRole("link", { name: /Limits/ }).getAttribute("href")).toBe(source.sourceUrl);
});

test("an opened source and a clicked suggestion are told, and a listener's fault harms nothing", () => {
  const events: unknown[] = [];
  const onEvent: AgentProviderProps["onEvent"] = (event) => {
    events.push(event);
    throw new Error("the page's own");
  };
  render(
    <Provider onEvent={onEvent}>
      <SourceTiles
        sources={[{ id: "s1", title: "Limits", sourceUrl: "https://docs.example.com" }]}
      />
      <AgentChat branding={{ examplePrompts: ["How do I begin?"] }} />
    </Provider>,
  );
  const stay = (event: Event): void => event.preventDefault();
  document.addEventListener("click", stay, { capture: true, once: true });
  fireEvent.click(screen.getByRole("link", { name: /Limits/ }));
  fireEvent.click(screen.getByRole("button", { name: "How do I begin?" }));
  expect(events.slice(0, 2)).toEqual([
    { type: "source_opened", data: { sourceId: "s1", threadId: undefined } },
    { type: "suggestion_clicked", data: {} },
  ]);
  expect(screen.getByText("How do I begin?")).toBeTruthy();
});

test("a conversation becomes a document with its sources", () => {
  const messages: ConversationMessage[] = [
    { id: "u", role: "user", content: "How many?" },
    {
      id: "a",
      role: "assistant",
      content: "Two [1].",
      blocks: [],
      sources: [
        {
          id: "s1",
          number: 1,
          title: "Limits\n# fake",
          sourceUrl: "https://docs.example.com/limits",
          headingPath: [],
          snippet: "",
          cited: true,
          sourceType: "documentation",
          sourceVisibility: "public",
        },
      ],
    },
  ];
  expect(conversationToMarkdown(messages, createLabels(english))).toBe(
    "## You\n\nHow many?\n\n## Assistant\n\nTwo [1].\n\nSources:\n\n- [1] Limits # fake: https://docs.example.com/limits\n",
  );
});

/** An agent that says what the test has published. */
const published = {
  messages: [] as ConversationMessage[],
  listeners: new Set<() => void>(),
  drawn: 0,
};
const scriptedAgent = {
  subscribe: (listener: () => void) => {
    published.listeners.add(listener);
    return () => published.listeners.delete(listener);
  },
  getSnapshot: () => ({ messages: published.messages, status: "idle" }),
} as unknown as Agent<never>;

function publish(...messages: ConversationMessage[]): void {
  published.messages = messages;
  act(() => {
    for (const listener of published.listeners) listener();
  });
}

function Ids(): ReactNode {
  published.drawn += 1;
  return useMessageIds().join(" ");
}

function WithScriptedAgent({ children }: { readonly children: ReactNode }): ReactNode {
  const context = useAgentContext();
  const [value] = useState({ ...context, agent: scriptedAgent });
  return <AgentContext.Provider value={value}>{children}</AgentContext.Provider>;
}

test("a list of ids is drawn again when a message comes, and not with every word", () => {
  const { container } = render(
    <Provider>
      <WithScriptedAgent>
        <Ids />
      </WithScriptedAgent>
    </Provider>,
  );
  const answer = (content: string): ConversationMessage => ({
    id: "a",
    role: "assistant",
    content,
    blocks: [],
  });
  publish(answer(""));
  const before = published.drawn;
  for (let at = 1; at < 20; at += 1) publish(answer("x".repeat(at)));
  expect(published.drawn).toBe(before);
  publish(answer("x"), { id: "b", role: "user", content: "?" });
  expect(container.textContent).toBe("a b");
});

test("why an answer failed is told in the language of the page, by its code", () => {
  const failed = (errorCode: string, content = "English words"): string | null => {
    const message = { id: "e", role: "assistant", content, blocks: [], isError: true, errorCode };
    render(
      <Provider translation={german}>
        <AgentMessageBubble message={message as ConversationMessage} />
      </Provider>,
    );
    const { textContent } = screen.getByRole("alert");
    cleanup();
    return textContent;
  };
  expect(failed("signed_out")).toBe("Melden Sie sich an, um den Assistenten zu nutzen.");
  expect(failed("quota_exceeded")).toBe(failed("rate_limited"));
  expect(failed("a_code_of_tomorrow", "Its own words")).toBe("Its own words");
  expect(failed("constructor", "Its own words")).toBe("Its own words");
});
