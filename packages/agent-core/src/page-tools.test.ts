import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { AgentOptions } from "./agent-options.ts";
import type { AgentSnapshot } from "./agent-snapshot.ts";
import {
  callsById,
  type OpenCall,
  openScriptedAgent,
  runWithCalls,
  untilSnapshot,
} from "./testing/scripted-agent.ts";
import { answerOf, type ScriptedServer, startScriptedServer } from "./testing/scripted-server.ts";
import type { AnyTool, ToolExecution } from "./tools.ts";

let server: ScriptedServer;

beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.chats.length = 0;
  server.requests.length = 0;
});

const moveParameters = z.object({ to: z.string().trim() });

/** A tool that notes how it was called. */
function noting(overrides: Partial<AnyTool> = {}) {
  const runs: unknown[] = [];
  const tool: AnyTool = {
    name: "move",
    description: "Moves.",
    parameters: moveParameters,
    execute: async (args) => {
      runs.push(args);
      return { moved: true };
    },
    ...overrides,
  };
  return { tool, runs };
}

function openWith(
  calls: OpenCall[],
  tools: readonly AnyTool[] = [],
  options: Partial<AgentOptions> = {},
) {
  server.script = [{ parts: runWithCalls(...calls) }, { parts: answerOf("Done.") }];
  return openScriptedAgent(server.url, { tools, ...options });
}

const sentOutputs = () => server.chats.at(-1)?.toolOutputs;
const sentApprovals = () => server.chats.at(-1)?.approvals;
const call = (id: string, more: Partial<OpenCall> = {}): OpenCall => ({
  id,
  name: "move",
  input: { to: " there " },
  ...more,
});
const awaitsApproval = ({ status }: { status: string }) => status === "awaiting-approval";

test("a rule decides by the checked arguments and the context who is asked", async () => {
  const asked: unknown[] = [];
  const { tool, runs } = noting({
    needsApproval: async (args, context) => {
      asked.push([args, context]);
      return args.to === "there";
    },
  });
  const calls = [call("c_1"), call("c_2", { input: { to: "here" } })];
  const { agent } = openWith(calls, [tool], { context: { user: 1 } });
  const sent = agent.sendMessage("a");
  await untilSnapshot(
    agent,
    (snapshot) => awaitsApproval(snapshot) && callsById(snapshot).c_2?.status === "completed",
  );
  expect(runs).toEqual([{ to: "here" }]);
  expect(callsById(agent.getSnapshot()).c_1?.status).toBe("approval_requested");
  agent.approveToolCall("c_1");
  await sent;
  expect(runs).toEqual([{ to: "here" }, { to: "there" }]);
  expect(asked).toEqual([
    [{ to: "there" }, { user: 1 }],
    [{ to: "here" }, { user: 1 }],
  ]);
});

test("a rule that throws, rejects, or does not answer in time means that the person is asked", async () => {
  const due: (() => void)[] = [];
  const timers = {
    set: (callback: () => void, delayMs: number) => {
      if (delayMs === 77) due.push(callback);
      else return setTimeout(callback, delayMs);
      return undefined;
    },
    clear: (timer: unknown) => clearTimeout(timer as number),
  };
  const rules: Exclude<AnyTool["needsApproval"], undefined>[] = [
    () => {
      throw new Error("rule");
    },
    () => Promise.reject(new Error("rule")),
    () => new Promise<boolean>(() => due.at(-1)?.()),
    () => undefined as unknown as boolean,
  ];
  for (const needsApproval of rules) {
    const { tool, runs } = noting({ needsApproval, timeoutMs: 77 });
    const { agent } = openWith([call("c_1")], [tool], { sessionTokens: { timers } });
    const sent = agent.sendMessage("a");
    await untilSnapshot(agent, awaitsApproval);
    expect(runs).toEqual([]);
    agent.rejectToolCall("c_1");
    await sent;
    expect(sentOutputs()).toEqual([
      { toolCallId: "c_1", denied: true, reason: "The person refused." },
    ]);
  }
});

test("arguments that do not fit are an error for the model, and nobody is asked about them", async () => {
  const { tool, runs } = noting({ needsApproval: true });
  const { agent } = openWith([call("c_1", { input: { to: 5 } })], [tool]);
  await agent.sendMessage("a");
  expect(runs).toEqual([]);
  expect(sentOutputs()).toMatchObject([
    { toolCallId: "c_1", errorText: expect.stringContaining("to: ") },
  ]);
  expect(callsById(agent.getSnapshot()).c_1).toMatchObject({ status: "error" });
});

test("several calls wait at once, each is decided alone, and the run goes on when none is left", async () => {
  const { tool, runs } = noting({ needsApproval: true });
  const { agent, events } = openWith(
    [
      call("c_1"),
      call("c_2", { name: "create_ticket", side: "server", approvalId: "ap_2", isEditable: true }),
      call("c_3", { name: "delete_ticket", side: "server", approvalId: "ap_3" }),
      call("c_4", { approvalId: "ap_4" }),
      call("c_5"),
    ],
    [tool],
  );
  const sent = agent.sendMessage("a");
  await untilSnapshot(
    agent,
    (snapshot) =>
      awaitsApproval(snapshot) &&
      Object.values(callsById(snapshot)).every(({ status }) => status === "approval_requested"),
  );
  expect(Object.values(callsById(agent.getSnapshot())).map(({ isEditable }) => isEditable)).toEqual(
    [undefined, true, false, false, undefined],
  );
  const decisions = [
    () => agent.approveToolCall("c_2", { editedInput: { title: "Mine" } }),
    () => agent.rejectToolCall("c_3", "Not today."),
    () => agent.approveToolCall("c_1"),
    () => agent.rejectToolCall("c_5"),
    () => agent.approveToolCall("c_4"),
  ];
  for (const decide of decisions) {
    expect(server.chats).toHaveLength(1);
    expect(agent.getSnapshot().status).toBe("awaiting-approval");
    await decide();
  }
  // The first word counts.
  agent.rejectToolCall("c_2");
  await sent;
  expect(server.chats).toHaveLength(2);
  expect(sentApprovals()).toEqual([
    { approvalId: "ap_2", approved: true, editedInput: { title: "Mine" } },
    { approvalId: "ap_3", approved: false, reason: "Not today." },
    { approvalId: "ap_4", approved: true },
  ]);
  expect(sentOutputs()).toEqual([
    { toolCallId: "c_1", output: { moved: true } },
    { toolCallId: "c_4", output: { moved: true } },
    { toolCallId: "c_5", denied: true, reason: "The person refused." },
  ]);
  expect(runs).toHaveLength(2);
  expect(callsById({ ...agent.getSnapshot() })).toMatchObject({
    c_1: { status: "completed" },
    // The server goes on with it, and did not say more here.
    c_2: { status: "stopped", arguments: { title: "Mine" } },
    c_3: { status: "denied" },
    c_4: { status: "completed" },
    c_5: { status: "denied" },
  });
  const told = events.filter(({ type }) => type.startsWith("tool_"));
  const ofCall = (id: string) =>
    told
      .filter(({ data }) => (data as { toolCallId?: string }).toolCallId === id)
      .map(({ type }) => type);
  expect(["c_1", "c_2", "c_3", "c_4", "c_5"].map(ofCall)).toEqual([
    ["tool_approved", "tool_executed"],
    ["tool_arguments_edited", "tool_approved"],
    ["tool_denied"],
    ["tool_approved", "tool_executed"],
    ["tool_denied"],
  ]);
});

test("what the server makes of an approved or denied call is shown in its place", async () => {
  server.script = [
    {
      parts: runWithCalls(
        call("c_1", { name: "create", side: "server", approvalId: "ap_1" }),
        call("c_2", { name: "delete", side: "server", approvalId: "ap_2" }),
      ),
    },
    {
      parts: [
        {
          type: "start",
          messageId: "msg_1",
          messageMetadata: { threadId: "thr_1", runId: "run_2" },
        },
        { type: "tool-output-available", toolCallId: "c_1", output: { id: 7 } },
        { type: "tool-output-denied", toolCallId: "c_2" },
        { type: "finish", finishReason: "stop" },
      ],
    },
  ];
  const { agent } = openScriptedAgent(server.url);
  const sent = agent.sendMessage("a");
  await untilSnapshot(agent, awaitsApproval);
  agent.approveToolCall("c_1");
  agent.rejectToolCall("c_2");
  await sent;
  expect(callsById(agent.getSnapshot())).toMatchObject({
    c_1: { status: "completed", result: { id: 7 } },
    c_2: { status: "denied" },
  });
});

test("edited arguments of the page's own tool are checked again, and are what it runs with", async () => {
  const { tool, runs } = noting({ needsApproval: true });
  const { agent, events } = openWith(
    [call("c_1", { approvalId: "ap_1", isEditable: true })],
    [tool],
  );
  const sent = agent.sendMessage("a");
  await untilSnapshot(agent, awaitsApproval);
  await expect(agent.approveToolCall("c_1", { editedInput: { to: 5 } })).rejects.toMatchObject({
    code: "invalid_arguments",
    field: "editedInput",
    message: expect.stringContaining("to: "),
  });
  expect(callsById(agent.getSnapshot()).c_1?.status).toBe("approval_requested");
  await agent.approveToolCall("c_1", { editedInput: { to: " elsewhere " } });
  await sent;
  expect(runs).toEqual([{ to: "elsewhere" }]);
  expect(sentApprovals()).toEqual([
    { approvalId: "ap_1", approved: true, editedInput: { to: " elsewhere " } },
  ]);
  expect(callsById(agent.getSnapshot()).c_1?.arguments).toEqual({ to: " elsewhere " });
  expect(events.filter(({ type }) => type === "tool_arguments_edited")).toHaveLength(1);
});

test("a call that is not editable takes no other arguments, and unknown calls are nobody's", async () => {
  const { tool, runs } = noting({ needsApproval: true });
  const { agent } = openWith([call("c_1")], [tool]);
  const sent = agent.sendMessage("a");
  await untilSnapshot(agent, awaitsApproval);
  await expect(agent.approveToolCall("c_1", { editedInput: {} })).rejects.toMatchObject({
    code: "call_not_editable",
  });
  agent.approveToolCall("c_9");
  agent.rejectToolCall("c_9");
  expect(agent.getSnapshot().status).toBe("awaiting-approval");
  agent.approveToolCall("c_1");
  await sent;
  expect(runs).toHaveLength(1);
});

test("a call that needs an approval is denied where its tool is missing or its arguments are wrong", async () => {
  const { tool } = noting();
  const { agent } = openWith(
    [
      call("c_1", { name: "gone", approvalId: "ap_1" }),
      call("c_2", { input: { to: 5 }, approvalId: "ap_2" }),
    ],
    [tool],
  );
  await agent.sendMessage("a");
  expect(sentOutputs()).toBeUndefined();
  expect(sentApprovals()).toMatchObject([
    { approvalId: "ap_1", approved: false, reason: "The page has no tool gone." },
    { approvalId: "ap_2", approved: false, reason: expect.stringContaining("do not fit") },
  ]);
});

test("stop and reset while a call waits end it, and a decision after that does nothing", async () => {
  const { tool, runs } = noting({ needsApproval: true });
  const pair = [call("c_1"), call("c_2", { name: "create", side: "server", approvalId: "ap_2" })];
  const { agent } = openWith(pair, [tool]);
  const sent = agent.sendMessage("a");
  await untilSnapshot(agent, awaitsApproval);
  agent.stopGeneration();
  await sent;
  expect(callsById(agent.getSnapshot())).toMatchObject({
    c_1: { status: "stopped" },
    c_2: { status: "stopped" },
  });
  agent.approveToolCall("c_1");
  expect(server.chats).toHaveLength(1);

  const second = openWith(pair, [tool]).agent;
  const asked = second.sendMessage("a");
  await untilSnapshot(second, awaitsApproval);
  second.resetConversation();
  await asked;
  second.approveToolCall("c_1");
  expect(second.getMessages()).toEqual([]);
  expect(runs).toEqual([]);
});

test("a decision that comes before the run has ended counts, and not for a later call of that id", async () => {
  let release = (): void => undefined;
  const asks = runWithCalls(call("c_1", { name: "create", side: "server", approvalId: "ap_1" }));
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  // The script waits before its fourth frame.
  const parts = [...asks.slice(0, 3), { type: "finish-step" } as const, ...asks.slice(3)];
  server.script = [{ parts, waitsFor: held }, { parts: answerOf("Done.") }];
  const { agent } = openScriptedAgent(server.url);
  const sent = agent.sendMessage("a");
  await untilSnapshot(
    agent,
    (snapshot) => callsById(snapshot).c_1?.status === "approval_requested",
  );
  agent.approveToolCall("c_1");
  release();
  await sent;
  expect(sentApprovals()).toEqual([{ approvalId: "ap_1", approved: true }]);

  server.script = [{ parts, waitsFor: new Promise(() => undefined) }, { parts: asks }];
  const again = openScriptedAgent(server.url).agent;
  const first = again.sendMessage("a");
  await untilSnapshot(
    again,
    (snapshot) => callsById(snapshot).c_1?.status === "approval_requested",
  );
  again.approveToolCall("c_1");
  again.resetConversation();
  await first;
  const second = again.sendMessage("b");
  await untilSnapshot(again, awaitsApproval);
  expect(callsById(again.getSnapshot()).c_1?.status).toBe("approval_requested");
  again.stopGeneration();
  await second;
});

test("a tool that ignores its signal holds nothing up: its time ends it, and so does a stop", async () => {
  const due: (() => void)[] = [];
  const timers = {
    set: (callback: () => void, delayMs: number) =>
      delayMs === 5_000 ? due.push(callback) : setTimeout(callback, delayMs),
    clear: (timer: unknown) => clearTimeout(timer as number),
  };
  let given: ToolExecution | undefined;
  const { tool } = noting({
    timeoutMs: 5_000,
    execute: (_args, _context, execution) => {
      given = execution;
      return new Promise(() => undefined);
    },
  });
  const { agent } = openWith([call("c_1")], [tool], { sessionTokens: { timers } });
  const sent = agent.sendMessage("a");
  await expect.poll(() => due).toHaveLength(1);
  expect(given?.signal.aborted).toBe(false);
  due[0]?.();
  await sent;
  expect(given?.signal.aborted).toBe(true);
  expect(given?.toolCallId).toBe("c_1");
  const errorText = "The tool did not finish within 5 s.";
  expect(sentOutputs()).toEqual([{ toolCallId: "c_1", errorText }]);
  expect(callsById(agent.getSnapshot()).c_1).toMatchObject({ status: "error", error: errorText });

  const stopping = openWith([call("c_1")], [tool], { sessionTokens: { timers } }).agent;
  const asked = stopping.sendMessage("a");
  await expect.poll(() => due).toHaveLength(2);
  stopping.stopGeneration();
  await asked;
  expect(given?.signal.aborted).toBe(true);
  expect(callsById(stopping.getSnapshot()).c_1?.status).toBe("stopped");
});

test("a result that is no JSON, or too large, is an error that says so; what is sent is a copy", async () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  for (const [result, said] of [
    [circular, "cannot be written as JSON"],
    [10n, "cannot be written as JSON"],
    [() => undefined, "cannot be written as JSON"],
    ["x".repeat(64 * 1024 - 1), "too large: 65 KiB, of at most 64"],
  ] as const) {
    const { tool } = noting({ execute: () => result });
    const { agent } = openWith([call("c_1")], [tool]);
    await agent.sendMessage("a");
    expect(sentOutputs()).toMatchObject([{ errorText: expect.stringContaining(said) }]);
    expect(callsById(agent.getSnapshot()).c_1).toMatchObject({ status: "error" });
  }
  const live = { count: 1 };
  const { tool } = noting({
    execute: ({ to }) => {
      if (to === "second") live.count = 2;
      return live;
    },
  });
  const { agent } = openWith(
    [call("c_1"), call("c_2", { input: { to: "second" }, approvalId: "ap_2" })],
    [tool],
  );
  const sent = agent.sendMessage("a");
  await untilSnapshot(agent, (snapshot) => callsById(snapshot).c_1?.status === "completed");
  agent.approveToolCall("c_2");
  await sent;
  expect(sentOutputs()).toMatchObject([{ output: { count: 1 } }, { output: { count: 2 } }]);
});

test("results that are too large together leave out the last ones, not the whole answer", async () => {
  const { tool } = noting({ execute: () => "x".repeat(60_000) });
  const ids = ["c_1", "c_2", "c_3", "c_4"];
  const { agent } = openWith(
    ids.map((id) => call(id)),
    [tool],
  );
  await agent.sendMessage("a");
  const outputs = sentOutputs() as { errorText?: string }[];
  expect(outputs.map(({ errorText }) => errorText === undefined)).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(JSON.stringify(server.chats.at(-1)).length).toBeLessThan(256 * 1024);
});

test("what a tool throws is cut to what the server takes, and a silent tool gives null", async () => {
  for (const [execute, sent] of [
    [() => Promise.reject(new Error("e".repeat(9_000))), { errorText: "e".repeat(8_000) }],
    [() => Promise.reject(new Error("")), { errorText: "The tool failed." }],
    [() => undefined, { output: null }],
  ] as const) {
    const { tool } = noting({ execute });
    const { agent } = openWith([call("c_1")], [tool]);
    await agent.sendMessage("a");
    expect(sentOutputs()).toEqual([{ toolCallId: "c_1", ...sent }]);
  }
});

test("every event says where it was and how long it took, and holds no text of the conversation", async () => {
  const { tool } = noting({ needsApproval: true });
  const secret = "hush-hush";
  const { agent, events } = openWith(
    [call("c_1", { input: { to: secret }, approvalId: "ap_1", isEditable: true })],
    [tool],
  );
  const sent = agent.sendMessage(`a ${secret}`);
  await untilSnapshot(agent, awaitsApproval);
  await agent.approveToolCall("c_1", { editedInput: { to: `${secret}!` } });
  await sent;
  const question = agent.getMessages()[0]?.id;
  expect(question).toMatch(/^u_/);
  const place = { threadId: "thr_1", runId: "run_1", messageId: "msg_1" };
  const about = { ...place, toolName: "move", toolCallId: "c_1" };
  const durationMs = expect.any(Number);
  expect(events).toEqual([
    { type: "message_sent", data: { messageId: question } },
    { type: "tool_arguments_edited", data: about },
    { type: "tool_approved", data: { ...about, durationMs } },
    { type: "tool_executed", data: { ...about, status: "completed", durationMs } },
    { type: "response_completed", data: { ...place, toolCallCount: 1, durationMs } },
  ]);
  expect(JSON.stringify(events)).not.toContain(secret);
});

test("arguments that the server does not take are asked for again, and nothing else is lost", async () => {
  const { tool, runs } = noting();
  const ticket = { name: "create", side: "server", approvalId: "ap_2", isEditable: true } as const;
  const refusal = {
    status: 400,
    code: "invalid_request",
    field: "approvals[0].editedInput",
    detail: "title is too long",
  };
  const { agent, events } = openWith([call("c_1"), call("c_2", ticket)], [tool]);
  const [asks, whole] = server.script;
  if (!asks || !whole) throw new Error("There is no script.");
  server.script = [
    asks,
    { parts: [], problem: refusal },
    // It has taken what was right, and waits for the rest.
    { parts: [...asks.parts.slice(0, 1), { type: "finish", finishReason: "tool-calls" }] },
    { parts: [], problem: refusal },
    whole,
  ];
  const sent = agent.sendMessage("a");
  await untilSnapshot(
    agent,
    (snapshot) => awaitsApproval(snapshot) && callsById(snapshot).c_1?.status === "completed",
  );
  await agent.approveToolCall("c_2", { editedInput: { title: "far too long" } });
  const asked = (snapshot: AgentSnapshot) =>
    callsById(snapshot).c_2?.error !== undefined && awaitsApproval(snapshot);
  await untilSnapshot(agent, asked);
  expect(callsById(agent.getSnapshot()).c_2).toMatchObject({
    status: "approval_requested",
    arguments: { title: "far too long" },
    originalArguments: { to: " there " },
    error: expect.stringContaining("title is too long"),
  });
  expect(server.chats.map(({ approvals, toolOutputs }) => [approvals, toolOutputs])).toMatchObject([
    [undefined, undefined],
    [[{ approvalId: "ap_2", editedInput: { title: "far too long" } }], [{ toolCallId: "c_1" }]],
    [undefined, [{ toolCallId: "c_1" }]],
  ]);
  // What is shown is what is meant.
  agent.approveToolCall("c_2");
  await expect.poll(() => server.chats).toHaveLength(4);
  expect(sentApprovals()).toEqual([
    { approvalId: "ap_2", approved: true, editedInput: { title: "far too long" } },
  ]);
  await untilSnapshot(agent, asked);
  await agent.approveToolCall("c_2", { editedInput: { title: "short" } });
  await sent;
  expect(sentApprovals()).toEqual([
    { approvalId: "ap_2", approved: true, editedInput: { title: "short" } },
  ]);
  expect(runs).toHaveLength(1);
  expect(agent.getMessages().at(-1)?.content).toBe("Done.");
  expect(callsById(agent.getSnapshot()).c_2).toMatchObject({
    arguments: { title: "short" },
    originalArguments: { to: " there " },
  });
  expect(events.filter(({ type }) => type === "response_error")).toEqual([]);
});
