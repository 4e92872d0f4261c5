import type { StoredMessage, StoredThread, StreamPart } from "@valet/protocol";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { expectAccessible, type View } from "./support/axe.ts";
import { openBrowser } from "./support/browser.ts";
import type { ChatPageProps } from "./support/chat-page.tsx";
import { type ChatScript, openScriptedChat, type ScriptedChat } from "./support/scripted-chat.ts";

/** Every state of the chat as a person meets it, by role and label, and by axe in both schemes. */
let chat: ScriptedChat;
let browser: Browser;

beforeAll(async () => {
  chat = await openScriptedChat({ chat: () => answer("Hello.") });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await chat?.close();
});
beforeEach(() => {
  for (const part of ["session", "threads", "thread"] as const) delete chat.script[part];
  chat.script.chat = () => answer("Hello.");
});

const views: readonly View[] = [
  ["light", 1200],
  ["dark", 360],
];

async function open(props: ChatPageProps = {}): Promise<Page> {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(chat.pageUrl(props));
  return page;
}

async function ask(page: Page, text = "How many requests may I send?"): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.keyboard.press("Enter");
}

/** Checks a state, and leaves it. */
async function done(page: Page, name: string): Promise<void> {
  await expectAccessible(page, name, views);
  await page.context().close();
}

const start: StreamPart = {
  type: "start",
  messageId: "msg_1",
  messageMetadata: { threadId: "thr_1", runId: "run_1" },
};
const finish: StreamPart = { type: "finish", finishReason: "stop" };
const search = { toolCallId: "c1", toolName: "search_knowledge_base" };

const text = (delta: string): StreamPart[] => [
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta },
];
const answer = (delta: string): StreamPart[] => [start, ...text(delta), finish];

/** Frames, and then nothing more until the page leaves. */
function holdAfter(...parts: StreamPart[]): ReturnType<ChatScript["chat"]> {
  return (async function* () {
    yield* parts;
    await new Promise(() => undefined);
  })();
}

const source = (number: number, title: string, path: string): StreamPart => ({
  type: "source-url",
  sourceId: `s${number}`,
  url: `https://docs.example.com/${path}`,
  title,
  providerMetadata: {
    valet: {
      number,
      headingPath: [title, "Burst"],
      snippet: `The passage of ${title}.`,
      toolCallId: "c1",
    },
  },
});

const searched: StreamPart[] = [
  start,
  { type: "tool-input-available", ...search, input: { query: "rate limit" } },
  { type: "tool-output-available", toolCallId: "c1", output: { results: [] } },
  source(1, "Limits", "limits"),
  source(2, "Plans", "plans"),
];

const inviteCall = (id: string, email: string): StreamPart => ({
  type: "tool-input-available",
  toolCallId: id,
  toolName: "invite",
  input: { email },
  dynamic: true,
});
const owed: StreamPart = { type: "finish", finishReason: "tool-calls" };

test("empty: a heading, and example prompts that are sent as they stand", async () => {
  const page = await open({ examplePrompts: ["How do I begin?"] });
  await page.getByRole("heading", { name: "What can I help with?" }).waitFor();
  await expectAccessible(page, "empty", views);
  await page.getByRole("button", { name: "How do I begin?" }).click();
  await page.getByRole("article", { name: "You" }).getByText("How do I begin?").waitFor();
  await page.context().close();
});

test("connecting, thinking, searching and slow are told in words", async () => {
  chat.script.session = () => new Promise(() => undefined);
  let page = await open();
  await ask(page);
  await page.getByRole("log").getByText("Starting your session").waitFor();
  await done(page, "connecting");
  delete chat.script.session;

  chat.script.chat = () => holdAfter(start);
  page = await open();
  await page.clock.install();
  await ask(page);
  await page.getByRole("log").getByText("Thinking").waitFor();
  await expectAccessible(page, "thinking", views);
  await page.clock.fastForward(8_000);
  await page.getByRole("log").getByText("Thinking · Still working").waitFor();
  await page.getByRole("status").getByText("Still working").waitFor();
  await done(page, "slow");

  chat.script.chat = () =>
    holdAfter(start, { type: "tool-input-available", ...search, input: { query: "rate limit" } });
  page = await open();
  await ask(page);
  const card = page.getByRole("region", { name: "Searching the documentation" });
  await card.getByText("rate limit").first().waitFor();
  await page.getByRole("status").getByText("Searching the documentation").waitFor();
  await done(page, "searching");
});

test("an answer cites its sources, links say where they lead, and it is announced once", async () => {
  const markdown = [
    "Bursts of **50** are allowed [1]. See [the limits](https://docs.example.com/limits) or",
    "[elsewhere](https://other.example/a).\n\n",
    "| Plan | Requests |\n|---|---|\n| Free | 50 |\n\n```sh\ncurl --limit 50\n```\n",
  ];
  chat.script.chat = () => [
    ...searched,
    { type: "text-start", id: "t" },
    ...markdown.map((delta): StreamPart => ({ type: "text-delta", id: "t", delta })),
    { type: "message-metadata", messageMetadata: { cited: ["s1"] } },
    finish,
  ];
  const page = await open();
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(window, { said });
    const region = document.querySelector('[role="status"]');
    if (region) {
      const look = () => void (region.textContent && said.push(region.textContent));
      new MutationObserver(look).observe(region, {
        subtree: true,
        childList: true,
        characterData: true,
      });
    }
  });
  await ask(page);
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  await page.getByText("other.example · not from the documentation").waitFor();
  expect(await page.getByText("not from the documentation").count()).toBe(1);
  await page.getByText("2 passages").waitFor();
  await page.getByText("Also searched (1)").click();
  const announced = await page.evaluate(() => (window as unknown as { said: string[] }).said);
  expect(announced.filter((words) => words.startsWith("Bursts of 50"))).toHaveLength(1);
  expect(announced.join("\n")).not.toContain("|");
  await expectAccessible(page, "answered", views);

  await page.getByRole("button", { name: "Source 1: Limits" }).first().click();
  const passage = page.getByRole("dialog", { name: "Limits" });
  await passage.getByText("The passage of Limits.").waitFor();
  await passage.getByText("docs.example.com › Burst").waitFor();
  // It stays with its number when the page changes its size under it.
  await page.setViewportSize({ width: 360, height: 700 });
  await expect
    .poll(async () => {
      const box = await passage.boundingBox();
      return box && box.x >= 0 && box.x + box.width <= 360;
    })
    .toBe(true);
  await expectAccessible(page, "citation", views);
  await page.keyboard.press("Escape");
  await passage.waitFor({ state: "detached" });
  expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe(
    "Source 1: Limits",
  );
  await page.context().close();
});

test("a message that is sent meanwhile waits in sight, and a stopped answer says so", async () => {
  chat.script.chat = () => holdAfter(start, ...text("It begins"));
  const page = await open();
  await ask(page);
  await page.getByText("It begins").waitFor();
  await ask(page, "And then?");
  await page.getByText("Waiting", { exact: true }).waitFor();
  await expectAccessible(page, "queued", views);
  await page.getByRole("button", { name: "Cancel this message: And then?" }).click();
  await page.getByRole("textbox", { name: "Message" }).press("Escape");
  await page.getByText("Stopped", { exact: true }).waitFor();
  await done(page, "stopped");
});

test("a failed answer is an alert with a way on; a limit counts down until it may help", async () => {
  chat.script.chat = () => [
    start,
    ...text("It was so far"),
    {
      type: "data-error",
      transient: true,
      data: { code: "model_unavailable", retryable: true, requestId: "req_1" },
    },
    { type: "error", errorText: "The model is busy." },
    { type: "finish", finishReason: "error" },
  ];
  let page = await open();
  await ask(page);
  await page.getByRole("alert").getByText("The assistant is busy").waitFor();
  await page.getByText("It was so far").waitFor();
  await expectAccessible(page, "failed", views);
  chat.script.chat = () => answer("Here it is.");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("article", { name: "Assistant" }).getByText("Here it is.").waitFor();
  expect(await page.getByRole("article", { name: "You" }).count()).toBe(1);
  await page.context().close();

  chat.script.chat = () => ({
    status: 429,
    headers: { "retry-after": "30" },
    body: { code: "rate_limited", title: "Too many requests", status: 429 },
  });
  page = await open();
  await page.clock.install();
  await ask(page);
  const button = page.getByRole("button", { name: /^Try again/ });
  await button.waitFor();
  expect(await button.isDisabled()).toBe(true);
  expect(await button.textContent()).toMatch(/^Try again in (?:30|29|28) s$/);
  await expectAccessible(page, "limited", views);
  await page.clock.fastForward(31_000);
  await page.getByRole("button", { name: "Try again", exact: true }).waitFor();
  chat.script.chat = () => answer("Now it goes.");
  await button.click();
  await page.getByRole("article", { name: "Assistant" }).getByText("Now it goes.").waitFor();
  await page.context().close();
});

test("signed out, kept out and offline say so, each in its words", async () => {
  for (const [status, words] of [
    [401, "Sign in to use the assistant."],
    [403, "You may not use the assistant."],
  ] as const) {
    chat.script.session = () => status;
    const page = await open();
    await ask(page);
    await page.getByRole("alert").getByText(words).waitFor();
    await done(page, words);
  }
  delete chat.script.session;
  const page = await open();
  await page.context().setOffline(true);
  await page.getByText("You are offline.").waitFor();
  await expectAccessible(page, "offline", views);
  await page.context().setOffline(false);
  await page.getByText("You are offline.").waitFor({ state: "detached" });
  await page.context().close();
});

test("two calls are decided by keyboard alone, one allowed and one refused, and the answer goes on", async () => {
  const outputs: unknown[] = [];
  chat.script.chat = (request) => {
    if (!request.toolOutputs) {
      return [
        start,
        inviteCall("c1", "ada@example.com"),
        inviteCall("c2", "bob@example.com"),
        owed,
      ];
    }
    outputs.push(...request.toolOutputs);
    return answer("Ada is invited.");
  };
  const page = await open();
  const field = page.getByRole("textbox", { name: "Message" });
  await field.focus();
  await page.keyboard.type("Invite Ada and Bob");
  await page.keyboard.press("Enter");
  const group = page.getByRole("group", { name: "2 steps" });
  await group.getByText("ada@example.com").waitFor();
  // Nobody's focus is taken; what waits is announced.
  expect(await field.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.locator('[aria-live="assertive"]').getByText("asks for your approval").waitFor();
  await expectAccessible(page, "approval", views);
  // The nearest buttons before the field: those of the second call, then those of the first.
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByText("Denied", { exact: true }).waitFor();
  await field.focus();
  for (let press = 0; press < 10; press += 1) {
    await page.keyboard.press("Shift+Tab");
    const name = await page.evaluate(() => document.activeElement?.textContent);
    if (name === "Allow") break;
  }
  await page.keyboard.press("Enter");
  await page.getByRole("article", { name: "Assistant" }).getByText("Ada is invited.").waitFor();
  expect(outputs).toMatchObject([
    { toolCallId: "c1", output: { invited: { email: "ada@example.com" } } },
    { toolCallId: "c2", denied: true },
  ]);
  await page.getByText("Details").first().click();
  await done(page, "decided");
});

test("the arguments of a call that may be edited are changed in fields of their kind", async () => {
  const decided: unknown[] = [];
  chat.script.chat = (request) => {
    if (!request.approvals) {
      return [
        start,
        {
          type: "tool-input-available",
          toolCallId: "c1",
          toolName: "open_ticket",
          input: { title: "Raise limit", urgent: false, copies: 1, tags: ["a"] },
        },
        { type: "tool-approval-request", approvalId: "ap_1", toolCallId: "c1", isEditable: true },
        owed,
      ];
    }
    decided.push(...request.approvals);
    return answer("The ticket is open.");
  };
  const page = await open();
  await ask(page, "Open a ticket");
  const card = page.getByRole("region", { name: "open_ticket" });
  await card.getByRole("button", { name: "Edit" }).click();
  const form = card.getByRole("form", { name: "Edit: open_ticket" });
  await form.getByRole("textbox", { name: "title" }).fill("Raise limit to 100");
  await form.getByRole("checkbox", { name: "urgent" }).check();
  await form.getByRole("spinbutton", { name: "copies" }).fill("2");
  await form.getByRole("textbox", { name: "tags" }).fill("[");
  await form.getByRole("button", { name: "Allow" }).click();
  await form.getByRole("alert").getByText("This is not valid JSON.").waitFor();
  await expectAccessible(page, "editing arguments", views);
  await form.getByRole("textbox", { name: "tags" }).fill('["b"]');
  await form.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("article", { name: "Assistant" }).getByText("The ticket is open.").waitFor();
  expect(decided).toEqual([
    {
      approvalId: "ap_1",
      approved: true,
      editedInput: { title: "Raise limit to 100", urgent: true, copies: 2, tags: ["b"] },
    },
  ]);
  await page.context().close();
});

test("a question is edited with the arrow up, and the answer behind it is another one", async () => {
  const asked: string[] = [];
  chat.script.chat = (request) => {
    const said = JSON.stringify(request.messages);
    asked.push(said);
    return answer(said.includes("apples") ? "About apples." : "About pears.");
  };
  const page = await open();
  await ask(page, "Tell me of pears");
  await page.getByText("About pears.").first().waitFor();
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  await page.getByRole("textbox", { name: "Message" }).press("ArrowUp");
  const edit = page.getByRole("textbox", { name: "Your question" });
  expect(await edit.evaluate((element) => element === document.activeElement)).toBe(true);
  await expectAccessible(page, "editing", views);
  await page.keyboard.press("Escape");
  expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe(
    "Edit the question",
  );
  await page.keyboard.press("Enter");
  await edit.fill("Tell me of apples");
  await page.keyboard.press("Enter");
  await page.getByRole("article", { name: "Assistant" }).getByText("About apples.").waitFor();
  expect(await page.getByRole("article", { name: "You" }).allTextContents()).toEqual([
    "Tell me of apples",
  ]);
  expect(asked).toHaveLength(2);
  await page.context().close();
});

test("an answer is rated, with a comment, and the page keeps what was said", async () => {
  const page = await open();
  await ask(page);
  await page.getByRole("button", { name: "Bad answer" }).click();
  await page.getByRole("textbox", { name: "What was wrong?" }).fill("Too short");
  await expectAccessible(page, "feedback", views);
  await page.getByRole("button", { name: "Send feedback" }).click();
  await page.getByText("Thank you for your feedback.").waitFor();
  expect(await page.getByRole("button", { name: "Bad answer" }).getAttribute("aria-pressed")).toBe(
    "true",
  );
  const sent = chat.requests.filter((request) => request.includes("/feedback/"));
  expect(sent).toHaveLength(2);
  await page.context().close();
});

test("history is loading, empty, unavailable or failed in words, and resumes what it lists", async () => {
  const past = async (threads: NonNullable<ChatScript["threads"]>): Promise<Page> => {
    chat.script.threads = threads;
    const page = await open({ enableHistory: true });
    await page.getByRole("button", { name: "Past conversations" }).click();
    return page;
  };
  let page = await past(() => new Promise(() => undefined));
  await page.getByText("Loading your conversations").waitFor();
  await done(page, "history loading");
  page = await past(() => ({ threads: [], next_cursor: null }));
  await page.getByText("There are no past conversations yet.").waitFor();
  await done(page, "history empty");
  page = await past(() => 409);
  await page.getByText("Past conversations are not available in this session.").waitFor();
  await done(page, "history unavailable");
  page = await past(() => 500);
  await page.getByRole("alert").getByText("could not be loaded").waitFor();
  await done(page, "history failed");

  const at = "2026-03-17T09:54:51Z";
  const summary = {
    id: "thr_1",
    title: "Rate limits",
    created_at: at,
    updated_at: at,
    message_count: 2,
  };
  chat.script.thread = (): StoredThread => ({
    thread: summary,
    active_run_id: null,
    messages: [
      { id: "u1", role: "user", parts: [{ type: "text", text: "Invite Ada" }], created_at: at },
      pendingMessage(at),
    ],
  });
  page = await past(() => ({ threads: [summary], next_cursor: "next" }));
  await page.getByRole("button", { name: /^Rate limits/ }).waitFor();
  await expectAccessible(page, "history", views);
  await page.getByRole("button", { name: /^Rate limits/ }).click();
  // The call of then waits for the person of now.
  await page.getByRole("button", { name: "Allow" }).waitFor();
  await expectAccessible(page, "resumed with a pending approval", views);
  chat.script.chat = () => answer("Ada is invited.");
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("article", { name: "Assistant" }).getByText("Ada is invited.").waitFor();
  await page.context().close();
});

/** An answer whose call was never decided. */
function pendingMessage(at: string): StoredMessage {
  return {
    id: "a1",
    role: "assistant",
    created_at: at,
    parts: [
      {
        type: "tool-call",
        toolCallId: "c1",
        toolName: "invite",
        input: { email: "ada@example.com" },
        state: "pending",
        side: "page",
        needsApproval: true,
      },
    ],
  };
}
