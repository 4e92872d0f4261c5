import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ServerToolOptions } from "../../packages/server/src/agent/operator-tools/operator-tool.ts";
import {
  type OpenAiReply,
  type OpenAiServer,
  refuses,
  startOpenAiServer,
  streams,
  streamsThen,
} from "../../packages/server/src/agent/testing/openai-server.ts";
import { expectDescribed } from "../support/described.ts";
import { openTestServer, type TestServer } from "../support/valet-server.ts";
import { type Finding, tableOf, toTable, withTable } from "./compatibility-table.ts";
import {
  type ForeignChatOptions,
  openForeignChat,
  textOf,
  type WatchedChat,
} from "./foreign-chat.ts";
import { type InstalledClient, installClients, type Major, majors } from "./installed-clients.ts";

/**
 * Clients that we did not write, with their own transports, against the real server over HTTP. The
 * model behind it is the real provider package, talking to a scripted endpoint.
 */
let valet: TestServer;
let model: OpenAiServer;
let listening: Server;
let base: string;
let clients: Readonly<Record<Major, InstalledClient>>;
/** What the model says next; a call that nobody has scripted fails the test. */
const script: OpenAiReply[] = [];
let chats = 0;
/** What the server's own tool was run with. */
const tickets: unknown[] = [];
const createTicket: ServerToolOptions<{ title: string }> = {
  name: "create_ticket",
  description: "Creates a ticket.",
  inputSchema: { type: "object", properties: { title: { type: "string" } }, required: ["title"] },
  needsApproval: true,
  withoutIntegration: true,
  execute(input) {
    tickets.push(input);
    return { ticket: tickets.length };
  },
};
let docs: string;

beforeAll(async () => {
  clients = installClients();
  model = await startOpenAiServer((response, body) => {
    const reply = script.shift() ?? refuses(500, { error: { message: "Nothing was scripted." } });
    reply(response, body);
  });
  valet = await openTestServer(
    { VALET_MODEL: "openai-compatible/scripted", VALET_MODEL_BASE_URL: model.baseUrl },
    { serverTools: [createTicket] },
  );
  listening = serve({
    fetch: async (request, env) => {
      const answer = await valet.server.app.fetch(request, env);
      await expectDescribed(request, answer);
      return answer;
    },
    port: 0,
    hostname: "127.0.0.1",
  }) as Server;
  if (!listening.listening) {
    await new Promise<void>((resolve) => listening.once("listening", resolve));
  }
  const { port } = listening.address() as AddressInfo;
  base = `http://127.0.0.1:${port}/agent/v1/projects/${valet.projectId}/agent`;
  docs = mkdtempSync(join(tmpdir(), "valet-conformance-"));
  writeFileSync(
    join(docs, "limits.md"),
    "# Limits\n\n## Burst\n\nA burst of 50 requests is fine.\n",
  );
  const lines = valet.control.lines(`/projects/${valet.projectId}/ingest`, {
    path: docs,
    base_url: "https://docs.example.com",
  });
  for await (const _ of lines);
});
afterEach(() => {
  script.length = 0;
});
afterAll(async () => {
  listening?.close();
  await valet?.close();
  await model?.close();
  if (docs) rmSync(docs, { recursive: true, force: true });
});

async function mint(): Promise<string> {
  const answer = await fetch(`${base}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": valet.apiKey },
  });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { session_token: string }).session_token;
}

/** The messages of a thread, as the server has them. */
async function storedMessages({ id, token }: ForeignChatOptions): Promise<{ role: string }[]> {
  const answer = await fetch(`${base}/threads/${id}/`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { messages: { role: string }[] }).messages;
}

/** A chat of its own in a session of its own, unless told otherwise. */
async function open(major: Major, more: Partial<ForeignChatOptions> = {}) {
  chats += 1;
  const options = { api: `${base}/chat`, id: `chat-${chats}`, token: await mint(), ...more };
  return { ...(await openForeignChat(major, options)), options };
}

const says = (...words: string[]) =>
  streams(
    words.map((content) => ({ content })),
    "stop",
  );
const calls = (name: string, input: unknown, id: string) =>
  streams(
    [
      { tool_calls: [{ index: 0, id, type: "function", function: { name, arguments: "" } }] },
      { tool_calls: [{ index: 0, function: { arguments: JSON.stringify(input) } }] },
    ],
    "tool_calls",
  );

/** A reply that stops in the middle until it is let go on, or until its reader hangs up. */
function pauses(before: string, after: string) {
  let goOn: () => void = () => undefined;
  const whenLet = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let hangUp: () => void = () => undefined;
  const whenHungUp = new Promise<void>((resolve) => {
    hangUp = resolve;
  });
  const reply: OpenAiReply = (response, body) => {
    response.on("close", () => {
      if (!response.writableEnded) hangUp();
    });
    streamsThen([{ content: before }], () => void whenLet.then(() => finish(response)))(
      response,
      body,
    );
  };
  const finish = (response: ServerResponse) => {
    const choices = [{ index: 0, delta: { content: after }, finish_reason: "stop" }];
    const frame = { id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices };
    response.end(`data: ${JSON.stringify(frame)}\n\ndata: [DONE]\n\n`);
  };
  return { reply, goOn: () => goOn(), whenHungUp };
}

const partsOf = ({ chat }: Pick<WatchedChat, "chat">, type: string) =>
  (chat.messages.at(-1)?.parts ?? []).filter((part) => part.type === type);

/** Each case by its name in the table; it gives what it found, after it has checked it. */
const cases: Readonly<Record<string, (major: Major) => Promise<Finding>>> = {
  async "text, and a question that follows it"(major) {
    const { chat, seen, requests } = await open(major);
    script.push(says("Bursts ", "of 50 ", "are allowed."));
    await chat.sendMessage({ text: "May I burst?" });
    expect(chat.error).toBeUndefined();
    expect(seen).toEqual(["status submitted", "status streaming", "status ready"]);
    expect(chat.messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect(textOf(chat.messages[1])).toBe("Bursts of 50 are allowed.");
    script.push(says("Each second."));
    await chat.sendMessage({ text: "How often?" });
    expect(textOf(chat.messages[3])).toBe("Each second.");
    expect(requests).toHaveLength(2);
    // The model was told the whole conversation, as the server has it.
    expect(model.requests.at(-1)?.messages.filter(({ role }) => role !== "system")).toMatchObject([
      { role: "user", content: "May I burst?" },
      { role: "assistant", content: "Bursts of 50 are allowed." },
      { role: "user", content: "How often?" },
    ]);
    return "yes";
  },

  async reasoning(major) {
    const watched = await open(major);
    script.push(
      streams(
        [{ reasoning_content: "Let me " }, { reasoning_content: "see." }, { content: "Yes." }],
        "stop",
      ),
    );
    await watched.chat.sendMessage({ text: "Well?" });
    expect(partsOf(watched, "reasoning")).toMatchObject([{ text: "Let me see.", state: "done" }]);
    expect(partsOf(watched, "text")).toMatchObject([{ text: "Yes.", state: "done" }]);
    return "yes";
  },

  async "citations (`source-url`)"(major) {
    const watched = await open(major);
    script.push(calls("search_knowledge_base", { query: "burst requests" }, "c1"), says("50 [1]."));
    await watched.chat.sendMessage({ text: "May I burst?" });
    expect(watched.chat.error).toBeUndefined();
    expect(watched.requests).toHaveLength(1);
    expect(partsOf(watched, "tool-search_knowledge_base")).toMatchObject([
      { state: "output-available", input: { query: "burst requests" } },
    ]);
    expect(partsOf(watched, "source-url")).toMatchObject([
      { sourceId: "s1", url: "https://docs.example.com/limits#burst", title: "Limits" },
    ]);
    expect(textOf(watched.chat.messages[1])).toBe("50 [1].");
    expect(watched.chat.messages[1]?.metadata).toMatchObject({ cited: ["s1"] });
    return "yes";
  },

  async "a tool of the page, whose output goes on in the same message"(major) {
    const watched = await open(major, {
      body: { tools: [openBilling] },
      onToolCall: ({ toolName, toolCallId, input, dynamic }, chat) => {
        expect([toolName, input, dynamic]).toEqual(["open_billing", { plan: "pro" }, true]);
        void chat.addToolOutput({ tool: toolName, toolCallId, output: { opened: true } });
      },
    });
    script.push(calls("open_billing", { plan: "pro" }, "c1"), says("It is open."));
    await watched.chat.sendMessage({ text: "Open my billing page." });
    await watched.until(() => watched.chat.status === "ready" && watched.requests.length === 2);
    expect(watched.chat.error).toBeUndefined();
    expect(watched.chat.messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect(partsOf(watched, "dynamic-tool")).toMatchObject([
      { toolName: "open_billing", state: "output-available", output: { opened: true } },
    ]);
    expect(textOf(watched.chat.messages[1])).toBe("It is open.");
    expect(JSON.stringify(model.requests.at(-1)?.messages.at(-1))).toContain("opened");
    return "yes";
  },

  async "a tool of the page that fails"(major) {
    const watched = await open(major, {
      body: { tools: [openBilling] },
      onToolCall: ({ toolName: tool, toolCallId }, chat) =>
        void chat.addToolOutput({ tool, toolCallId, state: "output-error", errorText: "No page." }),
    });
    script.push(calls("open_billing", {}, "c1"), says("I could not."));
    await watched.chat.sendMessage({ text: "Open my billing page." });
    await watched.until(() => watched.chat.status === "ready" && watched.requests.length === 2);
    expect(partsOf(watched, "dynamic-tool")).toMatchObject([
      { state: "output-error", errorText: "No page." },
    ]);
    expect(textOf(watched.chat.messages[1])).toBe("I could not.");
    expect(JSON.stringify(model.requests.at(-1)?.messages.at(-1))).toContain("No page.");
    return "yes";
  },

  async "two calls of the page at once, answered by one request"(major) {
    const watched = await open(major, {
      body: { tools: [openBilling] },
      onToolCall: ({ toolName: tool, toolCallId, input }, chat) =>
        void chat.addToolOutput({ tool, toolCallId, output: input }),
    });
    const call = (index: number, plan: string) => ({
      tool_calls: [
        {
          index,
          id: `c${index}`,
          type: "function",
          function: { name: "open_billing", arguments: JSON.stringify({ plan }) },
        },
      ],
    });
    script.push(streams([call(0, "pro"), call(1, "team")], "tool_calls"), says("Both."));
    await watched.chat.sendMessage({ text: "Open both." });
    await watched.until(
      () => watched.chat.status === "ready" && textOf(watched.chat.messages[1]) === "Both.",
    );
    expect(watched.requests).toHaveLength(2);
    expect(partsOf(watched, "dynamic-tool").map(({ output }) => output)).toEqual([
      { plan: "pro" },
      { plan: "team" },
    ]);
    return "yes";
  },

  async "a tool of the server that asks first: approved, it runs with the arguments that were asked for"(
    major,
  ) {
    const watched = await open(major);
    const before = tickets.length;
    script.push(calls("create_ticket", { title: "More" }, "c1"));
    await watched.chat.sendMessage({ text: "Create a ticket." });
    if (!watched.chat.addToolApprovalResponse) return expectNoApprovals(watched, before);
    const [asked] = partsOf(watched, "tool-create_ticket");
    expect(asked).toMatchObject({ state: "approval-requested", input: { title: "More" } });
    script.push(says("Created."));
    await watched.chat.addToolApprovalResponse({ id: asked?.approval?.id ?? "", approved: true });
    await watched.until(
      () => watched.chat.status === "ready" && textOf(watched.chat.messages[1]) === "Created.",
    );
    expect([watched.chat.error, watched.requests.length]).toEqual([undefined, 2]);
    expect(watched.chat.messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect(partsOf(watched, "tool-create_ticket")).toMatchObject([
      { state: "output-available", output: { ticket: tickets.length } },
    ]);
    expect(tickets.slice(before)).toEqual([{ title: "More" }]);
    return "yes";
  },

  async "a tool of the server that asks first: denied, the model is told why and nothing runs"(
    major,
  ) {
    const watched = await open(major);
    const before = tickets.length;
    script.push(calls("create_ticket", { title: "More" }, "c1"));
    await watched.chat.sendMessage({ text: "Create a ticket." });
    if (!watched.chat.addToolApprovalResponse) return expectNoApprovals(watched, before);
    const id = partsOf(watched, "tool-create_ticket")[0]?.approval?.id ?? "";
    script.push(says("Then not."));
    await watched.chat.addToolApprovalResponse({ id, approved: false, reason: "Not today." });
    await watched.until(
      () => watched.chat.status === "ready" && textOf(watched.chat.messages[1]) === "Then not.",
    );
    expect(partsOf(watched, "tool-create_ticket")).toMatchObject([{ state: "output-denied" }]);
    expect(JSON.stringify(model.requests.at(-1)?.messages.at(-1))).toContain("Not today.");
    expect(tickets).toHaveLength(before);
    return "yes";
  },

  async "a tool of the page that asks first: approved, the page runs it"(major) {
    const told: string[] = [];
    const watched = await open(major, {
      body: { tools: [{ ...openBilling, needsApproval: true }] },
      onToolCall(_, { messages }) {
        const part = messages.at(-1)?.parts.find(({ type }) => type === "dynamic-tool");
        told.push(part?.approval?.approved ? "to be run" : "approval not given");
      },
    });
    const before = tickets.length;
    script.push(calls("open_billing", { plan: "pro" }, "c1"));
    await watched.chat.sendMessage({ text: "Open my billing page." });
    if (!watched.chat.addToolApprovalResponse) return expectNoApprovals(watched, before);
    const [asked] = partsOf(watched, "dynamic-tool");
    expect(asked).toMatchObject({ state: "approval-requested", input: { plan: "pro" } });
    await watched.chat.addToolApprovalResponse({ id: asked?.approval?.id ?? "", approved: true });
    await watched.until(() => watched.chat.status === "ready" && watched.requests.length === 2);
    // Told again, now to be run.
    expect(partsOf(watched, "dynamic-tool")).toMatchObject([{ state: "input-available" }]);
    expect(told).toEqual(["approval not given", "to be run"]);
    script.push(says("It is open."));
    await watched.chat.addToolOutput({
      tool: "open_billing",
      toolCallId: asked?.toolCallId ?? "",
      output: { opened: true },
    });
    await watched.until(
      () => watched.chat.status === "ready" && textOf(watched.chat.messages[1]) === "It is open.",
    );
    expect(watched.chat.error).toBeUndefined();
    return "yes";
  },

  async "a failed answer: its code in `onData` before the error, and a new try"(major) {
    const { chat, seen, data } = await open(major);
    script.push(refuses(401, { error: { message: "Bad key: sk-secret" } }));
    await chat.sendMessage({ text: "Well?" });
    expect(chat.status).toBe("error");
    expect(seen).toEqual([
      "status submitted",
      "status streaming",
      "data data-error",
      "status error",
    ]);
    expect(data).toMatchObject([
      { data: { code: expect.stringMatching(/^[a-z_]+$/), requestId: expect.any(String) } },
    ]);
    expect(chat.error?.message).toBeTruthy();
    expect(chat.error?.message).not.toContain("secret");
    script.push(says("Now."));
    await chat.regenerate();
    expect([chat.status, textOf(chat.messages.at(-1))]).toEqual(["ready", "Now."]);
    return "yes";
  },

  async "a refused request: its problem in the error"(major) {
    const { chat } = await open(major, { token: "nonsense" });
    await chat.sendMessage({ text: "Well?" });
    expect(chat.status).toBe("error");
    expect(JSON.parse(chat.error?.message ?? "")).toMatchObject({
      status: 401,
      code: "invalid_token",
    });
    return "yes";
  },

  async "stop by our route: the model is told, what was said stays"(major) {
    const { chat, until, options } = await open(major);
    const answer = pauses("One ", "two.");
    script.push(answer.reply);
    const sending = chat.sendMessage({ text: "Count." });
    await until(() => textOf(chat.messages[1]) === "One ");
    const stopped = await fetch(`${options.api}/${options.id}/stop/`, {
      method: "POST",
      headers: { authorization: `Bearer ${options.token}` },
    });
    expect(await stopped.json()).toEqual({ stopped: true });
    await Promise.all([sending, answer.whenHungUp]);
    expect([chat.status, chat.error]).toEqual(["ready", undefined]);
    expect(textOf(chat.messages[1])).toBe("One ");
    script.push(says("Three."));
    await chat.sendMessage({ text: "Go on." });
    expect(textOf(chat.messages.at(-1))).toBe("Three.");
    return "yes";
  },

  async "the client's own `stop()` ends the run as well"(major) {
    const { chat, until, options } = await open(major);
    const answer = pauses("One ", "two.");
    script.push(answer.reply);
    const sending = chat.sendMessage({ text: "Count." });
    await until(() => textOf(chat.messages[1]) === "One ");
    await chat.stop();
    await sending;
    expect(chat.status).toBe("ready");
    // It only hangs up, and to hang up is no wish to stop: the run goes on, to be read again.
    const again = await open(major, { ...options, messages: chat.messages.slice(0, 1) });
    const resuming = again.chat.resumeStream();
    await again.until(() => textOf(again.chat.messages[1]) === "One ");
    answer.goOn();
    await resuming;
    expect(textOf(again.chat.messages[1])).toBe("One two.");
    return "no: `stop()` hangs up, and the answer goes on for whoever attaches to it. To end it, call the stop route beside it.";
  },

  async "resume after a reload: the whole answer from its first frame"(major) {
    const first = await open(major);
    const answer = pauses("One ", "two.");
    script.push(answer.reply);
    const sending = first.chat.sendMessage({ text: "Count." });
    await first.until(() => textOf(first.chat.messages[1]) === "One ");
    // Another page of the same session, which knows of the question only.
    const second = await open(major, {
      ...first.options,
      messages: first.chat.messages.slice(0, 1),
    });
    const resuming = second.chat.resumeStream();
    await second.until(() => textOf(second.chat.messages[1]) === "One ");
    answer.goOn();
    await Promise.all([sending, resuming]);
    expect(second.requests).toMatchObject([{ method: "GET" }]);
    expect(second.chat.status).toBe("ready");
    // Both pages have the same message, by id and by content.
    expect(second.chat.messages).toEqual(first.chat.messages);
    expect(textOf(second.chat.messages[1])).toBe("One two.");
    return "yes";
  },

  async "resume with nothing to resume: 204, and all stays as it is"(major) {
    const first = await open(major);
    script.push(says("Done."));
    await first.chat.sendMessage({ text: "Well?" });
    const second = await open(major, { ...first.options, messages: first.chat.messages });
    await second.chat.resumeStream();
    expect([second.chat.status, second.chat.error]).toEqual(["ready", undefined]);
    expect(second.chat.messages).toEqual(first.chat.messages);
    return "yes";
  },

  async "regenerate: a new answer takes the place of the last"(major) {
    const { chat, options } = await open(major);
    script.push(says("First."), says("Second."));
    await chat.sendMessage({ text: "Well?" });
    const before = chat.messages[1]?.id;
    await chat.regenerate();
    expect(chat.messages.map(textOf)).toEqual(["Well?", "Second."]);
    expect(chat.messages[1]?.id).not.toBe(before);
    expect(model.requests.at(-1)?.messages.filter(({ role }) => role !== "system")).toMatchObject([
      { role: "user", content: "Well?" },
    ]);
    const messages = await storedMessages(options);
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
    return "yes";
  },

  async "tells an answer that was cut off from one that is finished"(major) {
    let cutBytes = 0;
    const { chat, options } = await open(major, {
      async fetch(url, init) {
        const answer = await fetch(url, init);
        const whole = await answer.text();
        // A proxy that ends the body well, too early: behind the first words.
        const cut = whole.slice(0, whole.indexOf("\n\n", whole.indexOf('"text-delta"')) + 2);
        cutBytes = whole.length - cut.length;
        return new Response(cut, answer);
      },
    });
    script.push(says("Half ", "an answer."));
    await chat.sendMessage({ text: "Well?" });
    expect(cutBytes).toBeGreaterThan(0);
    expect([chat.status, textOf(chat.messages[1])]).toEqual(["ready", "Half "]);
    // Nothing is lost: the server has the whole.
    expect(JSON.stringify(await storedMessages(options))).toContain("Half an answer.");
    return "no: A body that ends without a terminal frame leaves the client `ready`, with half a text. The thread (`GET …/threads/{id}/`) has the whole one; our own SDK notices and attaches again.";
  },
};

/** What becomes of a client that knows no approvals: it fails, and nothing has run. */
function expectNoApprovals({ chat }: WatchedChat, ticketsBefore: number): Finding {
  expect([chat.status, tickets.length]).toEqual(["error", ticketsBefore]);
  return "no: It knows no approvals: the frame that asks for one is an error to it, and nothing is run. Use 6 or later with tools that ask.";
}

const openBilling = {
  name: "open_billing",
  description: "Opens the billing page.",
  inputSchema: { type: "object", properties: { plan: { type: "string" } } },
};

const findings = new Map(
  Object.keys(cases).map((name) => [name, {} as Partial<Record<Major, Finding>>]),
);

describe.each(majors)("ai %i", (major) => {
  test.each(Object.entries(cases))("%s", async (name, check) => {
    const found = await check(major);
    const row = findings.get(name);
    if (row) row[major] = found;
    expect(script).toEqual([]);
  });
});

test("the page of the reference says what was found", () => {
  const file = new URL("../../docs/reference/compatibility.md", import.meta.url);
  const page = readFileSync(file, "utf8");
  const table = toTable(findings, clients);
  if (process.env.VALET_WRITE_COMPATIBILITY) writeFileSync(file, withTable(page, table));
  else expect(tableOf(page)).toBe(table);
});
