import { expect, test } from "vitest";
import { Agent } from "../agent.ts";
import type { AgentEvent } from "../agent-options.ts";
import { callsById, untilSnapshot } from "../testing/scripted-agent.ts";
import type { AnyTool } from "../tools.ts";
import { scriptedAgentServer } from "./index.ts";

const openPage: AnyTool = {
  name: "open_page",
  description: "Opens a page.",
  parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
  execute: ({ path }) => ({ opened: path }),
};

/** Waits between attempts are left out; the longer limits stay. */
const impatient = {
  set: (callback: () => void, delayMs: number) =>
    setTimeout(callback, delayMs > 10_000 ? delayMs : 0),
  clear: (timer: unknown) => clearTimeout(timer as number),
};

test("a page's tool runs, and the answer goes on in the same message", async () => {
  const server = scriptedAgentServer(
    { calls: [{ name: "open_page", input: { path: "/billing" } }] },
    { text: ["The page ", "is open."] },
  );
  const agent = new Agent({ ...server.options, tools: [openPage] });
  await agent.sendMessage("Show me my bill");
  expect(agent.getMessages()).toHaveLength(2);
  expect(agent.getMessages()[1]?.content).toBe("The page is open.");
  expect(server.chats[0]?.tools?.[0]?.name).toBe("open_page");
  expect(server.chats[1]?.toolOutputs).toEqual([
    { toolCallId: "run_1_c1", output: { opened: "/billing" } },
  ]);
});

test("approvals, sources, failures and refusals are told as a server tells them", async () => {
  const server = scriptedAgentServer(
    { calls: [{ name: "create", side: "server", needsApproval: true, isEditable: true, id: "c" }] },
    { calls: [{ name: "create", side: "server", id: "c", output: { id: 7 } }], text: "Made." },
    {
      text: "See [2].",
      sources: [
        { title: "A", url: "https://docs.example.com/a" },
        { title: "B", url: "https://docs.example.com/b" },
      ],
    },
    { text: "Half", fails: { code: "model_unavailable", retryable: true } },
    { refuses: { status: 429, code: "rate_limited", retryAfterS: 3 } },
  );
  const agent = new Agent(server.options);
  const sent = agent.sendMessage("a");
  await untilSnapshot(agent, ({ status }) => status === "awaiting-approval");
  await agent.approveToolCall("c", { editedInput: { title: "Mine" } });
  await sent;
  expect(server.chats[1]?.approvals).toEqual([
    { approvalId: "ap_c", approved: true, editedInput: { title: "Mine" } },
  ]);
  expect(callsById(agent.getSnapshot()).c).toMatchObject({
    status: "completed",
    result: { id: 7 },
  });

  await agent.sendMessage("b");
  expect(
    agent
      .getMessages()
      .at(-1)
      ?.sources?.map(({ id, cited }) => [id, cited]),
  ).toEqual([
    ["s1", false],
    ["s2", true],
  ]);
  await agent.sendMessage("c");
  expect(agent.getMessages().at(-1)).toMatchObject({ errorCode: "model_unavailable" });
  expect(agent.getMessages().at(-2)).toMatchObject({ content: "Half", isPartial: true });
  await agent.sendMessage("d");
  expect(agent.getMessages().at(-1)).toMatchObject({
    errorCode: "rate_limited",
    retryAfterMs: 3_000,
  });
});

test("a connection that is cut is taken up again, and the answer is whole", async () => {
  const server = scriptedAgentServer({ text: ["One", " two."], fails: "cut" });
  const events: AgentEvent[] = [];
  const agent = new Agent({
    ...server.options,
    sessionTokens: { timers: impatient },
    onEvent: (event) => void events.push(event),
  });
  await agent.sendMessage("a");
  expect(events.filter(({ type }) => type === "stream_reconnected")).toEqual([
    {
      type: "stream_reconnected",
      data: {
        threadId: "thr_1",
        runId: "run_1",
        messageId: "msg_1",
        durationMs: expect.any(Number),
      },
    },
  ]);
  expect(agent.getMessages().at(-1)).toMatchObject({ content: "One two." });
  expect(agent.getMessages().at(-1)?.isError).toBeUndefined();
  expect(server.requests.map(({ path }) => path)).toEqual(["/chat/", "/chat/thr_1/stream/"]);
});

test("text comes at the pace of the test, and a stop leaves what had come", async () => {
  const gates: (() => void)[] = [];
  const server = scriptedAgentServer({
    text: ["One", " two"],
    beforePiece: () => new Promise((resolve) => void gates.push(resolve)),
  });
  const agent = new Agent(server.options);
  const sent = agent.sendMessage("a");
  await untilSnapshot(agent, ({ messages }) => messages.at(-1)?.content === "One");
  agent.stopGeneration();
  await sent;
  expect(agent.getMessages().at(-1)).toMatchObject({ content: "One", stopped: true });
  expect(server.requests.at(-1)).toMatchObject({
    path: "/chat/thr_1/stop/",
    body: { runId: "run_1" },
  });
});

test("what was said can be listed, taken up again and deleted; a step may look at the request", async () => {
  const server = scriptedAgentServer(({ messages }) => {
    const [part] = messages?.[0]?.parts ?? [];
    return { text: `You said ${part?.text ?? "nothing"}.` };
  });
  const first = new Agent(server.options);
  await first.sendMessage("Hi");
  const agent = new Agent({ ...server.options, enableHistory: true });
  const { threads } = await agent.listThreads();
  expect(threads).toMatchObject([{ id: "thr_1", title: "Hi", messageCount: 2 }]);
  await agent.resumeThread("thr_1");
  expect(agent.getMessages().map(({ content }) => content)).toEqual(["Hi", "You said Hi."]);
  await agent.deleteThread("thr_1");
  await expect(agent.resumeThread("thr_1")).rejects.toMatchObject({ code: "not_found" });
});

test("what is no call of the agent's API is nobody's, and steps can be added", async () => {
  const server = scriptedAgentServer({ text: "One." });
  await expect(server.fetch("https://app.example/api/cart")).rejects.toThrow("GET /api/cart");
  server.add({ text: "Two." });
  const agent = new Agent(server.options);
  await agent.sendMessage("a");
  await agent.sendMessage("b");
  expect(agent.getMessages().map(({ content }) => content)).toEqual(["a", "One.", "b", "Two."]);
});
