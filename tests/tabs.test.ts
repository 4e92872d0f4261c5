import { afterEach, expect, test } from "vitest";
import type { Agent } from "../packages/agent-core/src/agent.ts";
import type { AgentOptions } from "../packages/agent-core/src/agent-options.ts";
import type { AnyTool } from "../packages/agent-core/src/tools.ts";
import {
  type AgentHarness,
  createAgentHarness,
  someSession,
} from "../packages/server/src/agent/testing/agent-harness.ts";
import {
  calls,
  createPausingModel,
  createScriptedModel,
  finishes,
  type ScriptedModel,
  says,
} from "../packages/server/src/agent/testing/scripted-model.ts";
import type { SessionPrincipal } from "../packages/server/src/sessions/principal.ts";
import { fetchOf, isIdle, linesOf, openPage, until } from "./support/pages.ts";

/**
 * The moment in which other tabs may answer is counted in turns of the event loop: a machine that
 * is busy elsewhere does not end it early.
 */
const turns = {
  set(callback: () => void, delayMs: number): unknown {
    if (delayMs !== 150) return setTimeout(callback, delayMs);
    let left = 40;
    const turn = (): void => {
      left -= 1;
      if (left === 0) callback();
      else setImmediate(turn);
    };
    return setImmediate(turn);
  },
  clear: (timer: unknown): void => clearTimeout(timer as NodeJS.Timeout),
};

let projects = 0;
const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** Tabs of one origin over a real server; each project has a channel of its own. */
async function openOrigin(model: ScriptedModel) {
  projects += 1;
  const harness = await createAgentHarness({ model });
  const session = someSession({ projectId: `prj_tabs_${projects}`, owner: "jo" });
  const openTab = (options: Partial<AgentOptions> = {}, as: SessionPrincipal = session): Agent => {
    const tab = openPage(harness, as, {
      shareTabs: true,
      sessionTokens: { timers: turns },
      ...options,
    });
    open.push({ close: () => tab.dispose() });
    return tab;
  };
  return { harness, session, openTab };
}

/** Opens a second tab on the conversation of a first one. */
async function follow(first: Agent, second: Agent): Promise<void> {
  await second.attachThread(first.getThreadId() ?? "");
}

const answered =
  (count: number) => (snapshot: { isStreaming: boolean; messages: readonly unknown[] }) =>
    !snapshot.isStreaming && snapshot.messages.length === count;

const callOf = (agent: Agent) =>
  agent
    .getMessages()
    .flatMap(({ blocks = [] }) => blocks)
    .flatMap((block) => (block.type === "tool_calls" ? block.toolCalls : []))
    .at(-1);

test("a message that is sent in one tab is shown in the other, and its answer streams in both", async () => {
  const { model, release } = createPausingModel();
  const { openTab } = await openOrigin(model);
  const [a, b] = [openTab(), openTab()];
  void a.sendMessage("One?");
  await until(a, ({ threadId }) => threadId !== undefined);
  await follow(a, b);
  await until(b, ({ messages }) => messages.at(-1)?.content === "One ");
  expect(b.getIsStreaming()).toBe(true);
  release();
  await Promise.all([until(a, answered(2)), until(b, answered(2))]);
  void b.sendMessage("Two?");
  await Promise.all([until(a, answered(4)), until(b, answered(4))]);
  expect(linesOf(a)).toEqual([
    "user: One?",
    "assistant: One two.",
    "user: Two?",
    "assistant: One two.",
  ]);
  expect(linesOf(b)).toEqual(linesOf(a));
  expect(model.calls).toHaveLength(2);
});

/** Two tabs, of which the first asks for something that a tool of the page does. */
async function askForTool(more: Partial<AnyTool>) {
  const model = createScriptedModel(
    [...says("Hello."), finishes()],
    [calls("c_1", "open_billing", { plan: "pro" }), finishes("tool-calls")],
    [...says("Done."), finishes()],
  );
  const runs: string[] = [];
  const toolOf = (tab: string): AnyTool => ({
    name: "open_billing",
    description: "Opens billing.",
    parameters: { type: "object" },
    execute: () => {
      runs.push(tab);
      return { openedIn: tab };
    },
    ...more,
  });
  const origin = await openOrigin(model);
  const a = origin.openTab({ tools: [toolOf("a")] });
  await a.sendMessage("Hello?");
  const b = origin.openTab({ tools: [toolOf("b")] });
  await follow(a, b);
  void a.sendMessage("Open it");
  const bothAnswered = () => Promise.all([until(a, answered(4)), until(b, answered(4))]);
  return { a, b, runs, model, bothAnswered, toolOf, ...origin };
}

test("a tool runs once, in the tab that asked, and its outcome shows in both", async () => {
  const { a, b, runs, bothAnswered } = await askForTool({});
  await bothAnswered();
  expect(runs).toEqual(["a"]);
  for (const tab of [a, b]) {
    expect(callOf(tab)).toMatchObject({ status: "completed", result: { openedIn: "a" } });
    expect(tab.getMessages().at(-1)?.content).toBe("Done.");
  }
});

const isAsked = (tab: Agent) =>
  until(
    tab,
    () =>
      callOf(tab)?.status === "approval_requested" &&
      tab.getSnapshot().status === "awaiting-approval",
  );

test("a call may be decided in either tab; it runs once, where it was decided, and shows in both", async () => {
  for (const where of ["a", "b"] as const) {
    const { a, b, runs, model, bothAnswered } = await askForTool({ needsApproval: true });
    await Promise.all([isAsked(a), isAsked(b)]);
    (where === "a" ? a : b).approveToolCall("c_1");
    await bothAnswered();
    expect(runs).toEqual([where]);
    for (const tab of [a, b]) expect(callOf(tab)).toMatchObject({ result: { openedIn: where } });
    expect(model.calls).toHaveLength(3);
  }
});

test("a refusal in the other tab counts as one in this", async () => {
  const { a, b, runs, bothAnswered } = await askForTool({ needsApproval: true });
  await Promise.all([isAsked(a), isAsked(b)]);
  b.rejectToolCall("c_1");
  await bothAnswered();
  expect(runs).toEqual([]);
  for (const tab of [a, b]) expect(callOf(tab)?.status).toBe("denied");
});

test("what a tab runs already cannot be begun in another, also not after a reload", async () => {
  let finish = (): void => undefined;
  const slow = new Promise<{ slow: true }>((resolve) => {
    finish = () => resolve({ slow: true });
  });
  const { a, b, runs, bothAnswered, openTab, toolOf } = await askForTool({
    needsApproval: true,
    onReturn: "rerun",
    execute: () => {
      runs.push("some tab");
      return slow;
    },
  });
  await Promise.all([isAsked(a), isAsked(b)]);
  a.approveToolCall("c_1");
  await until(b, () => callOf(b)?.status === "executing");
  b.approveToolCall("c_1");
  // A third tab comes in the middle of it, with a tool that would run again by itself.
  const c = openTab({ tools: [{ ...toolOf("c"), needsApproval: false }] });
  await follow(a, c);
  await until(c, () => callOf(c)?.status === "executing");
  c.approveToolCall("c_1");
  finish();
  await Promise.all([bothAnswered(), until(c, answered(4))]);
  expect(runs).toEqual(["some tab"]);
  for (const tab of [a, b, c]) expect(callOf(tab)).toMatchObject({ result: { slow: true } });
});

test("when the tab that was asked is closed, the other one asks in its place", async () => {
  const { a, b, runs } = await askForTool({ needsApproval: true });
  await Promise.all([isAsked(a), isAsked(b)]);
  a.dispose();
  await until(b, () => callOf(b)?.status !== "approval_requested");
  await isAsked(b);
  b.approveToolCall("c_1");
  await until(b, answered(4));
  expect(runs).toEqual(["b"]);
});

/** Counts what a tab asks of the server. */
function counted(harness: AgentHarness, session: SessionPrincipal) {
  const requests: string[] = [];
  const reach = fetchOf(harness, session);
  const counting: typeof fetch = (input, init) => {
    requests.push(`${init?.method ?? "GET"} ${String(input)}`);
    return reach(input, init);
  };
  return { requests, fetch: counting };
}

test("tabs that show something else, or nothing, are not disturbed", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const { harness, session, openTab } = await openOrigin(model);
  const [a, b] = [openTab(), openTab()];
  const other = counted(harness, session);
  const c = openTab({ fetch: other.fetch });
  const off = counted(harness, session);
  const d = openTab({ fetch: off.fetch, shareTabs: false });
  await c.sendMessage("Something else");
  await a.sendMessage("One?");
  await follow(a, b);
  await follow(a, d);
  other.requests.length = 0;
  off.requests.length = 0;
  await a.sendMessage("Two?");
  await until(b, answered(4));
  expect([other.requests, off.requests]).toEqual([[], []]);
  expect(linesOf(c)).toEqual(["user: Something else", "assistant: Yes."]);
  expect(linesOf(d)).toHaveLength(2);
});

test("who leaves a tab takes nothing from the other, and hears nothing more of it", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const { harness, session, openTab } = await openOrigin(model);
  const [a, b] = [openTab(), openTab()];
  await a.sendMessage("One?");
  await follow(a, b);
  a.clearSession();
  const stranger = counted(harness, session);
  a.updateOptions({ fetch: stranger.fetch });
  expect(linesOf(b)).toEqual(["user: One?", "assistant: Yes."]);
  await b.sendMessage("Two?");
  const c = openTab();
  await follow(b, c);
  await until(c, isIdle);
  expect(a.getSnapshot()).toMatchObject({ messages: [], threadId: undefined, isStreaming: false });
  expect(stranger.requests).toEqual([]);
});

test("a tab of another person learns nothing: what it hears of, the server refuses it", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const { harness, session, openTab } = await openOrigin(model);
  const a = openTab();
  await a.sendMessage("One?");
  const stranger = someSession({ projectId: session.projectId, owner: "al" });
  const other = counted(harness, stranger);
  const b = openTab({ fetch: other.fetch }, stranger);
  await expect(follow(a, b)).rejects.toMatchObject({ status: 404 });
  other.requests.length = 0;
  await a.sendMessage("Two?");
  expect([linesOf(b), other.requests]).toEqual([[], []]);
});

test("tabs tell each other ids, and neither tokens nor words", async () => {
  const heard: unknown[] = [];
  const model = createScriptedModel(
    [calls("c_1", "open_billing", { plan: "secret plan" }), finishes("tool-calls")],
    [...says("secret answer"), finishes()],
  );
  const { session, openTab } = await openOrigin(model);
  const listener = new BroadcastChannel(`valet ${session.projectId}`);
  open.push(listener);
  const got = new Promise<void>((resolve) => {
    listener.onmessage = ({ data }: { data: unknown }) => {
      heard.push(data);
      if (heard.filter((news) => (news as { type: string }).type === "run").length === 2) resolve();
    };
  });
  const token = "secret-token";
  const a = openTab({
    getSessionToken: async () => ({ token, expiresAt: Date.now() + 3_600_000 }),
    tools: [
      {
        name: "open_billing",
        description: "Opens billing.",
        parameters: { type: "object" },
        execute: () => "secret output",
      },
    ],
  });
  await a.sendMessage("secret question");
  await got;
  expect(JSON.stringify(heard)).not.toContain("secret");
  const fields = new Set(heard.flatMap((news) => Object.keys(news as object)));
  expect([...fields].sort()).toEqual(["from", "runId", "threadId", "type"]);
});

test("where no channel is to be had, and where others speak on it, a tab works as ever", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const { session, openTab } = await openOrigin(model);
  const { BroadcastChannel: Channel } = globalThis;
  try {
    Object.assign(globalThis, { BroadcastChannel: undefined });
    const alone = openTab();
    await alone.sendMessage("One?");
    expect(linesOf(alone)).toHaveLength(2);
  } finally {
    Object.assign(globalThis, { BroadcastChannel: Channel });
  }
  const tab = openTab();
  await tab.sendMessage("One?");
  const noise = new Channel(`valet ${session.projectId}`);
  open.push(noise);
  const threadId = tab.getThreadId();
  for (const news of [
    "x",
    null,
    { type: "run" },
    { type: "run", from: "x", threadId },
    { type: "call", from: "x", threadId, toolCallId: 7 },
    { type: "held", from: "x", threadId, calls: { decided: 1 } },
    { type: "later", from: "x", threadId },
  ]) {
    noise.postMessage(news);
  }
  await tab.sendMessage("Two?");
  expect(linesOf(tab)).toHaveLength(4);
});
