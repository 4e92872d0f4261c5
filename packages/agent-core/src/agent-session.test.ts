import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Agent } from "./agent.ts";
import type { AgentEvent, AgentOptions } from "./agent-options.ts";
import type { AgentSnapshot, AuthState } from "./agent-snapshot.ts";
import { answerOf, type ScriptedServer, startScriptedServer } from "./testing/scripted-server.ts";

/** What an agent does when its session ends, changes, or cannot be had. */
let server: ScriptedServer;
let issued: number;
let person: string;

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
  person = "a";
});

function openAgent(options: Partial<AgentOptions> = {}) {
  const events: AgentEvent[] = [];
  const agent = new Agent({
    projectId: "prj_1",
    integrationId: "int_1",
    baseUrl: server.url,
    getSessionToken: async () => {
      issued += 1;
      return { session_token: `${person}-${issued}`, expires_in: 3600 };
    },
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return { agent, events };
}

/** A promise that a test opens. */
function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

function until(agent: Agent, fits: (snapshot: AgentSnapshot) => boolean): Promise<void> {
  return expect.poll(() => fits(agent.getSnapshot()), { interval: 2 }).toBe(true);
}

/** Holds back the answers to some requests until a test lets them through. */
function holding(path: string, gate: Promise<void>): { fetch: typeof fetch } {
  return {
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      if (String(input).includes(path)) await gate;
      return answer;
    },
  };
}

function storeThread(id: string, text: string): void {
  server.routes[`GET /threads/${id}/`] = {
    status: 200,
    body: {
      thread: { id, title: "t", created_at: "", updated_at: "", message_count: 1 },
      active_run_id: null,
      messages: [{ id: `m_${id}`, role: "user", parts: [{ type: "text", text }], created_at: "c" }],
    },
  };
}

test("what the person before asked is neither sent nor shown once the session was cleared", async () => {
  const gate = createGate();
  server.script = [
    { parts: answerOf("One", " two."), waitsFor: gate.opened },
    { parts: answerOf("For b.") },
  ];
  const { agent, events } = openAgent();
  const first = agent.sendMessage("first of a");
  const second = agent.sendMessage("second of a");
  await until(agent, ({ threadId }) => threadId === "thr_1");
  person = "b";
  agent.clearSession();
  expect(agent.getSnapshot()).toMatchObject({
    messages: [],
    queued: [],
    isStreaming: false,
    threadId: undefined,
    auth: "idle",
  });
  await Promise.all([first, second]);
  gate.open();
  await agent.sendMessage("first of b");
  expect(agent.getMessages().map(({ content }) => content)).toEqual(["first of b", "For b."]);
  expect(server.tokens).toEqual(["a-1", "b-2"]);
  expect(server.chats.map(({ id }) => id)).toEqual([undefined, undefined]);
  expect(events.filter(({ type }) => type === "conversation_reset")).toHaveLength(1);
});

test("clearing an idle session drops the token; the next message fetches one and begins a thread", async () => {
  const { agent } = openAgent();
  await agent.sendMessage("a");
  agent.clearSession();
  await agent.sendMessage("b");
  expect([issued, server.tokens]).toEqual([2, ["a-1", "a-2"]]);
  expect(server.chats.map(({ id }) => id)).toEqual([undefined, undefined]);
});

test("a thread, a list, a deletion and feedback of the person before come to nothing at the next one", async () => {
  storeThread("thr_a", "secret of a");
  server.routes["GET /threads/"] = { status: 200, body: { threads: [], next_cursor: null } };
  server.routes["DELETE /threads/thr_1/"] = { status: 200, body: {} };
  server.routes["POST /threads/thr_1/feedback/"] = { status: 200, body: {} };
  for (const use of [
    (agent: Agent) => agent.resumeThread("thr_a"),
    (agent: Agent) => agent.listThreads(),
    (agent: Agent) => agent.deleteThread("thr_1"),
    (agent: Agent) => agent.sendFeedback("msg_1", "up"),
  ]) {
    person = "a";
    const gate = createGate();
    const { agent, events } = openAgent({
      enableHistory: true,
      ...holding("/threads/", gate.opened),
    });
    await agent.sendMessage("Hi");
    server.requests.length = 0;
    const used = use(agent).catch((error: unknown) => error);
    await expect.poll(() => server.requests.length).toBe(1);
    person = "b";
    agent.clearSession();
    const told = events.length;
    gate.open();
    expect(await used).toMatchObject({ code: "session_reset" });
    expect(agent.getSnapshot()).toMatchObject({ messages: [], threadId: undefined });
    expect(events.slice(told)).toEqual([]);
  }
});

test("the conversation that was asked for last is shown, whichever comes first", async () => {
  storeThread("thr_a", "of a");
  storeThread("thr_b", "of b");
  const gate = createGate();
  const { agent } = openAgent({ enableHistory: true, ...holding("/threads/thr_a/", gate.opened) });
  const a = agent.resumeThread("thr_a").catch((error: unknown) => error);
  await agent.resumeThread("thr_b");
  gate.open();
  expect(await a).toMatchObject({ code: "superseded" });
  expect(agent.getThreadId()).toBe("thr_b");

  const late = createGate();
  const other = openAgent({ enableHistory: true, ...holding("/threads/thr_a/", late.opened) });
  const resumed = other.agent.resumeThread("thr_a").catch((error: unknown) => error);
  other.agent.resetConversation();
  late.open();
  expect(await resumed).toMatchObject({ code: "superseded" });
  expect(other.agent.getMessages()).toEqual([]);
});

test("a stop reaches the server although the token of its answer has ended meanwhile", async () => {
  const gate = createGate();
  server.script = [{ parts: answerOf("One", " two."), waitsFor: gate.opened }];
  let nowMs = 0;
  const clock = { wall: () => nowMs, mono: () => nowMs };
  const { agent } = openAgent({ sessionTokens: { clock } });
  const sent = agent.sendMessage("a");
  await until(agent, ({ threadId }) => threadId === "thr_1");
  nowMs = 2 * 3_600_000;
  agent.stopGeneration();
  await sent;
  await expect.poll(() => server.requests).toContain("POST /chat/thr_1/stop/");
  expect(server.tokens).toEqual(["a-1", "a-2"]);
  gate.open();
});

test("a stop of what was not sent yet sends nothing", async () => {
  const { agent } = openAgent();
  await agent.sendMessage("first");
  server.requests.length = 0;
  // The token is there, and this message has not left yet.
  const sent = agent.sendMessage("second");
  agent.stopGeneration();
  await sent;
  expect(server.requests).toEqual([]);
});

test("looking at the auth state causes no call, and it goes from idle by connecting to ready", async () => {
  const { agent } = openAgent();
  const seen: AuthState[] = [agent.getSnapshot().auth];
  agent.subscribe(() => {
    const { auth } = agent.getSnapshot();
    if (auth !== seen.at(-1)) seen.push(auth);
  });
  expect([seen, issued]).toEqual([["idle"], 0]);
  await agent.sendMessage("a");
  expect([seen, issued]).toEqual([["idle", "connecting", "ready"], 1]);
});

test("a session fetched ahead of need serves the first message, and its failure disturbs nobody", async () => {
  const { agent } = openAgent();
  agent.prefetchSession();
  agent.prefetchSession();
  expect(agent.getSnapshot().auth).toBe("idle");
  await until(agent, ({ auth }) => auth === "ready");
  await agent.sendMessage("a");
  expect([issued, server.tokens]).toEqual([1, ["a-1"]]);

  const failing = openAgent({
    getSessionToken: () => Promise.reject(Object.assign(new Error("x"), { status: 503 })),
  });
  failing.agent.prefetchSession();
  await until(failing.agent, ({ auth }) => auth === "failed");
  expect(failing.agent.getSnapshot()).toMatchObject({ messages: [], error: undefined });
  expect(failing.events).toEqual([]);
});

test("a page can tell who is signed out from what is broken", async () => {
  const signedOut = openAgent({
    getSessionToken: () => Promise.reject(Object.assign(new Error("x"), { status: 401 })),
  });
  await signedOut.agent.sendMessage("a");
  expect(signedOut.agent.getSnapshot().auth).toBe("signed-out");

  const down = openAgent({
    getSessionToken: () => Promise.reject(Object.assign(new Error("x"), { status: 403 })),
  });
  await down.agent.sendMessage("a");
  expect(down.agent.getSnapshot().auth).toBe("failed");

  server.revoked.add("a-1").add("a-2");
  const refused = openAgent();
  await refused.agent.sendMessage("a");
  expect(refused.agent.getSnapshot().auth).toBe("failed");
  await refused.agent.retry();
  expect(refused.agent.getSnapshot()).toMatchObject({ auth: "ready", error: undefined });
});

test("no token comes into what is told or shown, even if the page's own parser quotes it", async () => {
  const { agent, events } = openAgent({
    getSessionToken: async () => JSON.parse("s3cret-token-0123456789") as never,
  });
  await agent.sendMessage("a");
  expect(agent.getSnapshot().error?.code).toBe("callback_failed");
  expect(JSON.stringify([events, agent.getSnapshot()])).not.toContain("s3cret");
});

test("the answer to a request that was refused twice is not left open", async () => {
  let cancelled = 0;
  const body = (): ReadableStream =>
    new ReadableStream({
      cancel() {
        cancelled += 1;
      },
    });
  const { agent } = openAgent({
    enableHistory: true,
    fetch: async () => new Response(body(), { status: 401 }),
  });
  await expect(agent.listThreads()).rejects.toMatchObject({ code: "token_rejected" });
  expect(cancelled).toBe(2);
});

test("an endpoint that asks to come back in two minutes is not waited for, and the person is told", async () => {
  const { agent } = openAgent({
    getSessionToken: () =>
      Promise.reject(Object.assign(new Error("x"), { status: 503, retryAfterMs: 120_000 })),
  });
  await agent.sendMessage("a");
  await agent.sendMessage("b");
  const [, first, , second] = agent.getMessages();
  for (const message of [first, second]) {
    expect(message).toMatchObject({ isError: true, retryAfterMs: 120_000 });
  }
});
