import type { StreamPart } from "@valet/protocol";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { Agent } from "./agent.ts";
import type { AgentEvent, AgentOptions } from "./agent-options.ts";
import type { AgentSnapshot } from "./agent-snapshot.ts";
import * as exported from "./index.ts";
import { answerOf, type ScriptedServer, startScriptedServer } from "./testing/scripted-server.ts";
import { createToolHelper } from "./tools.ts";

let server: ScriptedServer;
let issued = 0;

beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.script = [{ parts: answerOf("Hello", " there.") }];
  server.chats.length = 0;
  server.requests.length = 0;
  server.tokens.length = 0;
  server.revoked.clear();
  for (const path of Object.keys(server.routes)) delete server.routes[path];
  issued = 0;
});

/** Waits between attempts are cut short; the longer limits stay. */
const impatient = {
  set: (callback: () => void, delayMs: number) =>
    setTimeout(callback, delayMs > 10_000 ? delayMs : Math.min(delayMs, 5)),
  clear: (timer: unknown) => clearTimeout(timer as number),
};

function openAgent(options: Partial<AgentOptions> = {}) {
  const events: AgentEvent[] = [];
  const agent = new Agent({
    projectId: "prj_1",
    integrationId: "int_1",
    baseUrl: server.url,
    getSessionToken: async () => {
      issued += 1;
      return { session_token: `token-${issued}`, expires_in: 3600 };
    },
    onEvent: (event) => void events.push(event),
    // The agents of one file are pages of one origin.
    shareTabs: false,
    ...options,
  });
  return { agent, events };
}

const contents = ({ messages }: AgentSnapshot) =>
  messages.map(({ role, content }) => `${role}: ${content}`);

/** Resolves when a snapshot fits. */
function until(agent: Agent, fits: (snapshot: AgentSnapshot) => boolean): Promise<AgentSnapshot> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!fits(agent.getSnapshot())) return;
      stop();
      resolve(agent.getSnapshot());
    };
    const stop = agent.subscribe(look);
    look();
  });
}

test("five quick messages cost one token and are answered in order", async () => {
  server.script = ["1", "2", "3", "4", "5"].map((text) => ({ parts: answerOf(`Answer ${text}`) }));
  const { agent } = openAgent();
  const sent = ["a", "b", "c", "d", "e"].map((text) => agent.sendMessage(text));
  expect(agent.getSnapshot().queued.map(({ text }) => text)).toEqual(["b", "c", "d", "e"]);
  await Promise.all(sent);
  expect(contents(agent.getSnapshot())).toEqual([
    "user: a",
    "assistant: Answer 1",
    "user: b",
    "assistant: Answer 2",
    "user: c",
    "assistant: Answer 3",
    "user: d",
    "assistant: Answer 4",
    "user: e",
    "assistant: Answer 5",
  ]);
  expect(issued).toBe(1);
  // All but the first, which began it, name the thread.
  expect(server.chats.map(({ id }) => id)).toEqual([undefined, "thr_1", "thr_1", "thr_1", "thr_1"]);
});

test("a message that waits can be taken back", async () => {
  const { agent } = openAgent();
  const first = agent.sendMessage("a");
  const second = agent.sendMessage("b");
  agent.cancelQueuedMessage(agent.getSnapshot().queued[0]?.id ?? "");
  await Promise.all([first, second]);
  expect(contents(agent.getSnapshot())).toEqual(["user: a", "assistant: Hello there."]);
});

test("a connection that is cut is taken up behind the last frame, and nothing comes twice", async () => {
  for (const cutAfter of [0, 1, 3, 4, 6]) {
    server.script = [{ parts: answerOf("One", " two", " three."), cutAfter }];
    const { agent } = openAgent({ sessionTokens: { timers: impatient } });
    await agent.sendMessage("a");
    expect([cutAfter, agent.getMessages().at(-1)?.content]).toEqual([cutAfter, "One two three."]);
  }
});

test("an answer that cannot be taken up again is shown as interrupted, not as finished", async () => {
  server.script = [{ parts: answerOf("One", " two."), cutAfter: 4 }];
  server.routes["GET /chat/thr_1/stream/"] = { status: 204, body: undefined };
  const thread = { id: "thr_1", title: "t", created_at: "", updated_at: "", message_count: 1 };
  server.routes["GET /threads/thr_1/"] = {
    status: 200,
    body: { thread, messages: [], active_run_id: null },
  };
  const { agent, events } = openAgent({ sessionTokens: { timers: impatient } });
  await agent.sendMessage("a");
  const [, partial, error] = agent.getMessages();
  expect(partial).toMatchObject({ content: "One", isPartial: true });
  expect(error).toMatchObject({ isError: true, errorCode: "stream_interrupted", retryable: true });
  expect(events.at(-1)).toMatchObject({ type: "response_error" });
});

test("stopping ends the answer here and on the server, and later frames are not shown", async () => {
  let release = (): void => undefined;
  const waitsFor = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.script = [{ parts: answerOf("One", " two."), waitsFor }];
  const { agent } = openAgent();
  const sent = agent.sendMessage("a");
  await until(agent, ({ threadId }) => threadId === "thr_1");
  agent.stopGeneration();
  await sent;
  release();
  expect(agent.getMessages().at(-1)).toMatchObject({ stopped: true });
  expect(agent.getSnapshot()).toMatchObject({ isStreaming: false, status: "idle" });
  server.script = [{ parts: answerOf("Next.") }];
  await agent.sendMessage("b");
  expect(agent.getMessages().at(-1)?.content).toBe("Next.");
  expect(server.requests).toContain("POST /chat/thr_1/stop/");
});

test("a reset in the middle of an answer leaves no trace of it", async () => {
  let release = (): void => undefined;
  server.script = [
    {
      parts: answerOf("Old."),
      waitsFor: new Promise<void>((resolve) => {
        release = resolve;
      }),
    },
    { parts: answerOf("New.") },
  ];
  const { agent } = openAgent();
  const old = agent.sendMessage("a");
  await until(agent, ({ threadId }) => threadId === "thr_1");
  agent.resetConversation();
  expect(agent.getSnapshot()).toMatchObject({
    messages: [],
    isStreaming: false,
    threadId: undefined,
  });
  const fresh = agent.sendMessage("b");
  release();
  await Promise.all([old, fresh]);
  expect(contents(agent.getSnapshot())).toEqual(["user: b", "assistant: New."]);
  expect(server.chats[1]?.id).toBeUndefined();
});

test("a revoked session costs one new token and keeps its thread", async () => {
  const { agent } = openAgent();
  await agent.sendMessage("a");
  server.revoked.add("token-1");
  await agent.sendMessage("b");
  expect(agent.getMessages().at(-1)?.content).toBe("Hello there.");
  expect(issued).toBe(2);
  expect(server.tokens).toEqual(["token-1", "token-1", "token-2"]);
  expect(server.chats[1]?.id).toBe("thr_1");
});

test("every request of the SDK is sent again with a fresh token when its token was revoked", async () => {
  const thread = { id: "thr_1", title: "t", created_at: "", updated_at: "", message_count: 0 };
  const uses: [string, (agent: Agent) => Promise<unknown>][] = [
    ["POST /chat/", (agent) => agent.sendMessage("again")],
    ["GET /threads/", (agent) => agent.listThreads()],
    ["GET /threads/thr_1/", (agent) => agent.resumeThread("thr_1")],
    ["POST /threads/thr_1/feedback/", (agent) => agent.sendFeedback("msg_1", "up")],
    ["DELETE /threads/thr_1/", (agent) => agent.deleteThread("thr_1")],
    ["POST /sources/doc_1/ticket", (agent) => agent.sourceUrl("/sources/doc_1")],
  ];
  server.routes["GET /threads/"] = { status: 200, body: { threads: [thread], next_cursor: null } };
  server.routes["GET /threads/thr_1/"] = {
    status: 200,
    body: { thread, messages: [], active_run_id: null },
  };
  server.routes["POST /threads/thr_1/feedback/"] = { status: 200, body: {} };
  server.routes["DELETE /threads/thr_1/"] = { status: 200, body: {} };
  server.routes["POST /sources/doc_1/ticket"] = { status: 200, body: { url: "/sources/doc_1" } };
  for (const [request, use] of uses) {
    issued = 0;
    server.revoked.clear();
    const { agent } = openAgent({ enableHistory: true });
    await agent.sendMessage("first");
    server.revoked.add("token-1");
    server.requests.length = 0;
    server.tokens.length = 0;
    await use(agent);
    expect([server.requests, server.tokens]).toEqual([
      [request, request],
      ["token-1", "token-2"],
    ]);
    agent.dispose();
  }
});

test("attaching again and stopping survive a revoked token, too", async () => {
  let release = (): void => undefined;
  const waitsFor = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.script = [{ parts: answerOf("Hello", " there."), cutAfter: 3 }];
  const attaching = openAgent({ sessionTokens: { timers: impatient } });
  attaching.agent.subscribe(() => {
    if (attaching.agent.getSnapshot().status === "reconnecting") server.revoked.add("token-1");
  });
  await attaching.agent.sendMessage("a");
  expect(contents(attaching.agent.getSnapshot())).toEqual(["user: a", "assistant: Hello there."]);
  expect(server.tokens).toEqual(["token-1", "token-1", "token-2"]);

  issued = 0;
  server.revoked.clear();
  server.tokens.length = 0;
  server.requests.length = 0;
  server.script = [{ parts: answerOf("Hello", " there."), waitsFor }];
  const { agent } = openAgent();
  void agent.sendMessage("a");
  await until(agent, ({ status }) => status === "thinking");
  server.revoked.add("token-1");
  agent.stopGeneration();
  await expect.poll(() => server.tokens).toEqual(["token-1", "token-1", "token-2"]);
  expect(server.requests.slice(1)).toEqual(Array(2).fill("POST /chat/thr_1/stop/"));
  release();
});

test("who may not chat is told so, and who is not signed in, that", async () => {
  for (const [status, code, text] of [
    [401, "signed_out", "Sign in"],
    [403, "not_allowed", "may not"],
  ] as const) {
    const { agent } = openAgent({
      getSessionToken: () => Promise.reject(Object.assign(new Error("x"), { status })),
    });
    await agent.sendMessage("a");
    expect(agent.getSnapshot().error?.code).toBe(code);
    expect(agent.getMessages().at(-1)?.content).toContain(text);
  }
});

test("feedback is shown with its answer and told; a failure of it changes nothing", async () => {
  const { agent, events } = openAgent();
  server.routes["POST /threads/thr_1/feedback/"] = { status: 200, body: {} };
  await agent.sendMessage("a");
  const id = agent.getMessages()[1]?.id ?? "";
  expect(id).toBe("msg_1");
  await agent.sendFeedback(id, "down", "Too short.");
  expect(agent.getMessages()[1]).toMatchObject({ id, feedback: "down" });
  expect(events.at(-1)).toEqual({
    type: "feedback_submitted",
    data: { threadId: "thr_1", messageId: id, rating: "down" },
  });
  server.routes["POST /threads/thr_1/feedback/"] = {
    status: 400,
    body: { code: "a_code_of_tomorrow", title: "T", detail: "D", status: 400 },
  };
  const failure = agent.sendFeedback(id, "up");
  await expect(failure).rejects.toMatchObject({ code: "a_code_of_tomorrow", message: "T. D" });
  expect(agent.getMessages()[1]).toMatchObject({ feedback: "down" });
});

test("a fresh token that is refused as well ends in a clear error, and nothing is sent a third time", async () => {
  const { agent } = openAgent();
  server.revoked.add("token-1").add("token-2");
  await agent.sendMessage("a");
  expect(agent.getMessages().at(-1)).toMatchObject({ isError: true, errorCode: "token_rejected" });
  expect(server.tokens).toEqual(["token-1", "token-2"]);
});

test("a session endpoint that is down is told in words, and trying again keeps the question", async () => {
  let isDown = true;
  const { agent, events } = openAgent({
    getSessionToken: async () => {
      if (isDown) throw new Error("Session creation failed");
      return { token: "good" };
    },
    sessionTokens: { random: () => 0, failureHoldMs: 20 },
  });
  await agent.sendMessage("a");
  expect(agent.getMessages().at(-1)?.content).toContain("Your session could not be started");
  expect(agent.getSnapshot()).toMatchObject({ auth: "failed", error: { code: "callback_failed" } });
  expect(server.requests).toEqual([]);
  isDown = false;
  await agent.retry();
  expect(contents(agent.getSnapshot())).toEqual(["user: a", "assistant: Hello there."]);
  expect(events.map(({ type }) => type)).toEqual([
    "message_sent",
    "response_error",
    "message_sent",
    "response_completed",
  ]);
});

test("a retry sends the same message id again, so that the server does not take it for another", async () => {
  server.script = [
    { parts: [], problem: { status: 503, code: "unavailable" } },
    { parts: answerOf("Now.") },
  ];
  const { agent } = openAgent();
  await agent.sendMessage("a");
  await agent.retry();
  await agent.retry();
  const ids = server.chats.map(({ messages }) => (messages as { id: string }[])[0]?.id);
  expect(ids).toHaveLength(2);
  expect(ids[0]).toBe(ids[1]);
});

const called: StreamPart[] = [
  { type: "start", messageId: "msg_1", messageMetadata: { threadId: "thr_1", runId: "run_1" } },
  {
    type: "tool-input-available",
    toolCallId: "call_1",
    toolName: "open_page",
    input: { path: "/x" },
    dynamic: true,
  },
  { type: "finish", finishReason: "tool-calls" },
];

function withTool(overrides: Record<string, unknown> = {}) {
  const runs: unknown[] = [];
  const tool = createToolHelper<{ base: string }>()({
    name: "open_page",
    displayName: "Open a page",
    description: "Opens a page.",
    parameters: { type: "object" },
    execute: async (args, context) => {
      runs.push([args, context]);
      return { opened: true };
    },
    ...overrides,
  });
  server.script = [{ parts: called }, { parts: answerOf("Opened.") }];
  return { runs, ...openAgent({ tools: [tool], context: { base: "/app" } }) };
}

const outputs = () => server.chats.at(-1)?.toolOutputs;

test("a tool of the page runs with its context, and its result goes on in the same answer", async () => {
  const { agent, runs, events } = withTool();
  await agent.sendMessage("a");
  expect(runs).toEqual([[{ path: "/x" }, { base: "/app" }]]);
  expect(outputs()).toEqual([{ toolCallId: "call_1", output: { opened: true } }]);
  const [, answer, ...more] = agent.getMessages();
  expect(more).toEqual([]);
  expect(answer?.content).toBe("Opened.");
  expect(answer?.blocks?.[0]).toMatchObject({
    toolCalls: [{ displayName: "Open a page", status: "completed", result: { opened: true } }],
  });
  expect(events.map(({ type }) => type)).toContain("tool_executed");
});

test("a tool that asks first runs only when it was allowed", async () => {
  for (const isAllowed of [true, false]) {
    const { agent, runs } = withTool({ needsApproval: true });
    const sent = agent.sendMessage("a");
    await until(agent, ({ status }) => status === "awaiting-approval");
    expect(runs).toEqual([]);
    if (isAllowed) agent.approveToolCall("call_1");
    else agent.rejectToolCall("call_1");
    await sent;
    expect(runs).toHaveLength(isAllowed ? 1 : 0);
    expect(outputs()).toMatchObject([
      isAllowed ? { output: { opened: true } } : { denied: true, reason: "The person refused." },
    ]);
  }
});

test("a page may decide a call in the moment that it is told of it", async () => {
  const { agent, runs } = withTool({ needsApproval: true });
  agent.subscribe(() => {
    if (agent.getSnapshot().status === "awaiting-approval") agent.approveToolCall("call_1");
  });
  await agent.sendMessage("a");
  expect(runs).toHaveLength(1);
});

test("a tool that throws, is missing, or gets wrong arguments becomes an error for the model", async () => {
  const throwing = withTool({
    execute: () => {
      throw new Error("No such page.");
    },
  });
  await throwing.agent.sendMessage("a");
  expect(outputs()).toEqual([{ toolCallId: "call_1", errorText: "No such page." }]);

  withTool();
  const { agent } = openAgent();
  await agent.sendMessage("a");
  expect(outputs()).toEqual([
    { toolCallId: "call_1", errorText: "The page has no tool open_page." },
  ]);

  const strict = withTool({
    parameters: {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: () => ({ issues: [{ message: "path must be absolute" }] }),
        jsonSchema: { input: () => ({ type: "object" }) },
      },
    },
  });
  await strict.agent.sendMessage("a");
  expect(strict.runs).toEqual([]);
  expect(JSON.stringify(outputs())).toContain("path must be absolute");
});

test("stopping while a tool waits for approval ends the answer, and the tool does not run", async () => {
  const { agent, runs } = withTool({ needsApproval: true });
  const sent = agent.sendMessage("a");
  await until(agent, ({ status }) => status === "awaiting-approval");
  agent.stopGeneration();
  await sent;
  agent.approveToolCall("call_1");
  expect(runs).toEqual([]);
  expect(agent.getMessages().at(-1)?.blocks?.[0]).toMatchObject({
    toolCalls: [{ status: "stopped" }],
  });
});

test("a failure of the server is shown with its code and without its insides", async () => {
  server.script = [
    {
      parts: [
        ...answerOf("Part").slice(0, 4),
        {
          type: "data-error",
          transient: true,
          data: {
            code: "model_unavailable",
            retryable: true,
            retryAfterMs: 4000,
            requestId: "req_1",
          },
        },
        { type: "error", errorText: "busy" },
        { type: "finish", finishReason: "error" },
      ],
    },
  ];
  const { agent } = openAgent();
  await agent.sendMessage("a");
  expect(agent.getMessages().at(-1)).toMatchObject({
    isError: true,
    errorCode: "model_unavailable",
    retryAfterMs: 4000,
  });
  expect(agent.getMessages().at(-2)).toMatchObject({ content: "Part" });
});

test("sources are numbered, kept on their message, and marked when they are cited", async () => {
  const source = (number: number): StreamPart => ({
    type: "source-url",
    sourceId: `s${number}`,
    url: `/sources/doc_${number}#a`,
    title: `Page ${number}`,
    providerMetadata: {
      valet: { number, headingPath: ["Page"], snippet: "…", toolCallId: "call_9" },
    },
  });
  const [start, ...rest] = answerOf("See [2].");
  server.script = [
    {
      parts: [
        start as StreamPart,
        source(1),
        source(2),
        ...rest.slice(0, -1),
        { type: "message-metadata", messageMetadata: { cited: ["s2"] } },
        { type: "finish", finishReason: "stop" },
      ],
    },
  ];
  const { agent } = openAgent();
  await agent.sendMessage("a");
  expect(
    agent
      .getMessages()
      .at(-1)
      ?.sources?.map(({ id, cited }) => [id, cited]),
  ).toEqual([
    ["s1", false],
    ["s2", true],
  ]);
});

test("a page of the server opens with a ticket, other addresses as they are", async () => {
  server.routes["POST /sources/doc_1/ticket"] = {
    status: 201,
    body: { url: "/sources/doc_1?ticket=t" },
  };
  const { agent } = openAgent();
  expect(await agent.sourceUrl("/sources/doc_1#part")).toBe(
    `${server.url}/sources/doc_1?ticket=t#part`,
  );
  expect(await agent.sourceUrl("https://docs.example.com/a#b")).toBe(
    "https://docs.example.com/a#b",
  );
  expect(await agent.sourceUrl("https://evil.example/sources/doc_1#x")).toBe(
    "https://evil.example/sources/doc_1#x",
  );
  expect(server.requests).toEqual(["POST /sources/doc_1/ticket"]);
});

test("history says why it is not there, and resumes what is", async () => {
  await expect(openAgent().agent.listThreads()).rejects.toBeInstanceOf(
    exported.HistoryDisabledError,
  );
  const { agent } = openAgent({ enableHistory: true });
  server.routes["GET /threads/"] = {
    status: 409,
    body: { code: "history_needs_owner", status: 409, title: "t", detail: "d" },
  };
  await expect(agent.listThreads()).rejects.toBeInstanceOf(exported.SessionWithoutOwnerError);
  server.routes["GET /threads/thr_9/"] = {
    status: 404,
    body: { code: "not_found", status: 404, title: "t", detail: "d" },
  };
  await expect(agent.resumeThread("thr_9")).rejects.toBeInstanceOf(exported.ThreadNotFoundError);
  const thread = { id: "thr_2", title: "T", created_at: "c", updated_at: "u", message_count: 1 };
  server.routes["GET /threads/?limit=1"] = {
    status: 200,
    body: { threads: [thread], next_cursor: "x" },
  };
  expect(await agent.listThreads({ limit: 1 })).toMatchObject({
    threads: [{ id: "thr_2", messageCount: 1 }],
    nextCursor: "x",
  });
  server.routes["GET /threads/thr_2/"] = {
    status: 200,
    body: {
      thread,
      active_run_id: null,
      messages: [{ id: "m", role: "user", parts: [{ type: "text", text: "Hi" }], created_at: "c" }],
    },
  };
  await agent.resumeThread("thr_2");
  expect(agent.getThreadId()).toBe("thr_2");
  expect(contents(agent.getSnapshot())).toEqual(["user: Hi"]);
});

test("the address of the server comes from the session reply, once and for all, and must be safe", async () => {
  const replies = [server.url, "https://elsewhere.example"];
  const { agent } = openAgent({
    baseUrl: undefined as never,
    getSessionToken: async () => ({
      session_token: `t${replies.length}`,
      api_url: replies.shift() ?? "",
    }),
  });
  await agent.sendMessage("a");
  server.revoked.add("t2");
  await agent.sendMessage("b");
  expect(agent.getMessages().at(-1)?.content).toBe("Hello there.");

  for (const api_url of [
    "http://valet.example.com",
    "https://u:p@x.example",
    "https://x.example/?a=1",
    "x",
  ]) {
    const { agent: other } = openAgent({
      baseUrl: undefined as never,
      getSessionToken: async () => ({ session_token: "t", api_url }),
    });
    await other.sendMessage("a");
    expect([api_url, other.getMessages().at(-1)?.errorCode]).toEqual([api_url, "invalid_base_url"]);
  }
});

test("snapshots change only when something did, and messages that did not keep their identity", async () => {
  const { agent } = openAgent();
  await agent.sendMessage("a");
  const before = agent.getSnapshot();
  expect(agent.getSnapshot()).toBe(before);
  await agent.sendMessage("b");
  const after = agent.getSnapshot();
  expect(after).not.toBe(before);
  expect(after.messages[0]).toBe(before.messages[0]);
  expect(after.messages[1]).toBe(before.messages[1]);
  expect(before.messages).toHaveLength(2);
});

test("while text streams listeners are told at most once a frame", async () => {
  const pieces = Array.from({ length: 400 }, (_, at) => `word${at} `);
  server.script = [{ parts: answerOf(...pieces) }];
  const { agent } = openAgent();
  let told = 0;
  agent.subscribe(() => {
    told += 1;
  });
  await agent.sendMessage("a");
  expect(agent.getMessages().at(-1)?.content).toBe(pieces.join(""));
  expect(told).toBeLessThan(100);
});

test("a burst of tool calls tells listeners no more often than text does", async () => {
  const [start, ...text] = answerOf("Done.");
  const calls = Array.from({ length: 100 }, (_, at): StreamPart[] => [
    { type: "tool-input-available", toolCallId: `c${at}`, toolName: "look_up", input: {} },
    { type: "tool-output-available", toolCallId: `c${at}`, output: "found" },
  ]).flat();
  server.script = [{ parts: [...(start ? [start] : []), ...calls, ...text] }];
  const { agent } = openAgent();
  let told = 0;
  agent.subscribe(() => {
    told += 1;
  });
  await agent.sendMessage("a");
  expect(JSON.stringify(agent.getMessages().at(-1))).toContain("c99");
  expect(told).toBeLessThan(50);
});

test("a callback of the page that throws stops nothing, and its fault is reported", async () => {
  const reported: unknown[] = [];
  const told = vi.spyOn(console, "error").mockImplementation((fault) => void reported.push(fault));
  try {
    const fault = new Error("the page's own");
    const throwing = (): never => {
      throw fault;
    };
    const { agent } = openAgent({
      onEvent: throwing,
      onMessagesChange: throwing,
      onStreamingChange: throwing,
    });
    agent.subscribe(throwing);
    await agent.sendMessage("a");
    await agent.sendMessage("b");
    expect(contents(agent.getSnapshot())).toHaveLength(4);
    expect(new Set(reported)).toEqual(new Set([fault]));
  } finally {
    told.mockRestore();
  }
});

test("a stop before the server has answered also reaches the run that it may have begun", async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let hasLeft = false;
  const { agent: slow } = openAgent({
    fetch: async (input, init) => {
      if (String(input).endsWith("/chat/") && slow.getThreadId() !== undefined) {
        hasLeft = true;
        await Promise.race([
          held,
          new Promise((_, reject) => {
            init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
          }),
        ]);
      }
      return fetch(input, init);
    },
  });
  await slow.sendMessage("a");
  server.requests.length = 0;
  const sent = slow.sendMessage("b");
  await expect.poll(() => hasLeft).toBe(true);
  slow.stopGeneration();
  await sent;
  release();
  expect(slow.getMessages().at(-1)).toMatchObject({ stopped: true });
  await slow.sendMessage("c");
  // And the next question does not overtake it.
  expect(server.requests).toEqual(["POST /chat/thr_1/stop/", "POST /chat/"]);
});

test("an empty message is a mistake of the caller, and a disposed agent does nothing more", async () => {
  const { agent } = openAgent();
  await expect(agent.sendMessage("  ")).rejects.toBeInstanceOf(TypeError);
  agent.dispose();
  agent.dispose();
  await expect(agent.sendMessage("a")).rejects.toMatchObject({ code: "disposed" });
  expect(issued).toBe(0);
});

test("the package exports these names and no others", () => {
  expect(Object.keys(exported).sort()).toEqual([
    "Agent",
    "AgentError",
    "HistoryDisabledError",
    "SessionEndpointError",
    "SessionWithoutOwnerError",
    "StopRefreshing",
    "ThreadNotFoundError",
    "TokenError",
    "createSessionTokenManager",
    "createToolHelper",
    "isTokenError",
    "sessionEndpoint",
  ]);
});
