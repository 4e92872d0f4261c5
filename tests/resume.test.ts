import { expect, test } from "vitest";
import type { Agent } from "../packages/agent-core/src/agent.ts";
import { ThreadNotFoundError } from "../packages/agent-core/src/agent-error.ts";
import type { AgentOptions } from "../packages/agent-core/src/agent-options.ts";
import type { AnyTool } from "../packages/agent-core/src/tools.ts";
import {
  createAgentHarness,
  someSession,
} from "../packages/server/src/agent/testing/agent-harness.ts";
import {
  calls,
  createPausingModel,
  createScriptedModel,
  finishes,
  says,
} from "../packages/server/src/agent/testing/scripted-model.ts";
import { isIdle, linesOf, openPage, until } from "./support/pages.ts";

const callOf = (agent: Agent) =>
  agent
    .getMessages()
    .at(-1)
    ?.blocks?.flatMap((block) => (block.type === "tool_calls" ? block.toolCalls : []))[0];

function pageTool(more: Partial<AnyTool> = {}) {
  const runs: unknown[] = [];
  const tool: AnyTool = {
    name: "open_billing",
    description: "Opens billing.",
    parameters: { type: "object" },
    execute: (args: unknown) => {
      runs.push(args);
      return { opened: true };
    },
    ...more,
  };
  return { tool, runs };
}

/** A model that calls the page's tool and says so afterwards. */
const callingModel = () =>
  createScriptedModel(
    [...says("Opening."), calls("c_1", "open_billing", { plan: "pro" }), finishes("tool-calls")],
    [...says("It is open."), finishes()],
  );

test("a conversation that is taken up while it is answered streams on, and nothing is said twice", async () => {
  const { model, release } = createPausingModel();
  const harness = await createAgentHarness({ model });
  const session = someSession({ owner: "jo" });
  const first = openPage(harness, session);
  void first.sendMessage("One?");
  const { threadId = "" } = await until(
    first,
    ({ messages }) => messages.at(-1)?.content === "One ",
  );
  // The page is left, and another one opened, as on a reload.
  first.dispose();
  const second = openPage(harness, session, { enableHistory: true });
  await second.resumeThread(threadId);
  expect(second.getSnapshot()).toMatchObject({ isStreaming: true, threadId });
  await until(second, ({ messages }) => messages.at(-1)?.content === "One ");
  release();
  await until(second, isIdle);
  expect(linesOf(second)).toEqual(["user: One?", "assistant: One two."]);
  expect(model.calls).toHaveLength(1);
});

test("leaving a page does not stop what is being written", async () => {
  const { model, release } = createPausingModel();
  const harness = await createAgentHarness({ model });
  const session = someSession();
  const page = openPage(harness, session);
  void page.sendMessage("One?");
  const { threadId = "" } = await until(
    page,
    ({ messages }) => messages.at(-1)?.content === "One ",
  );
  page.dispose();
  release();
  const later = openPage(harness, session);
  await expect
    .poll(async () => {
      await later.attachThread(threadId);
      return linesOf(later);
    })
    .toEqual(["user: One?", "assistant: One two."]);
});

/** Asks, leaves the page with its call pending, and opens another one. */
async function returnTo(more: Partial<AnyTool>, leftWith: Partial<AnyTool> = more) {
  const model = callingModel();
  const harness = await createAgentHarness({ model });
  const session = someSession();
  // What the first page had begun when it was left, nobody will ever know.
  const left = pageTool({ ...leftWith, execute: () => new Promise(() => undefined) });
  const first = openPage(harness, session, { tools: [left.tool] });
  void first.sendMessage("Open it");
  const { threadId = "" } = await until(
    first,
    () =>
      callOf(first) !== undefined &&
      ["executing", "approval_requested"].includes(callOf(first)?.status ?? "") &&
      ["tool", "awaiting-approval"].includes(first.getSnapshot().status),
  );
  first.dispose();
  const { tool, runs } = pageTool(more);
  const page = openPage(harness, session, { tools: [tool] });
  await page.attachThread(threadId);
  return { page, runs, model };
}

const outcomeFor = (model: { calls: readonly { prompt: readonly unknown[] }[] }) =>
  JSON.stringify(model.calls.at(-1)?.prompt.at(-1));

test("a tool that asks first asks again after a reload, and the answer goes on from there", async () => {
  for (const isAllowed of [true, false]) {
    const { page, runs, model } = await returnTo({ needsApproval: true });
    await until(page, ({ status }) => status === "awaiting-approval");
    expect(callOf(page)).toMatchObject({ id: "c_1", status: "approval_requested" });
    expect(runs).toEqual([]);
    if (isAllowed) page.approveToolCall("c_1");
    else page.rejectToolCall("c_1");
    await until(page, isIdle);
    expect(runs).toEqual(isAllowed ? [{ plan: "pro" }] : []);
    expect(callOf(page)?.status).toBe(isAllowed ? "completed" : "denied");
    expect(page.getMessages().at(-1)?.content).toBe("Opening.\n\nIt is open.");
    expect(model.calls).toHaveLength(2);
  }
});

test("a tool that may have run before does not run again by itself, whether or not it asks otherwise", async () => {
  const { page, runs } = await returnTo({});
  await until(page, ({ status }) => status === "awaiting-approval");
  expect(runs).toEqual([]);
  page.approveToolCall("c_1");
  await until(page, isIdle);
  expect(runs).toHaveLength(1);
});

test("a tool that may well run twice runs again after a reload when it says so", async () => {
  const { page, runs } = await returnTo({ onReturn: "rerun" });
  await until(page, isIdle);
  expect(runs).toEqual([{ plan: "pro" }]);
  expect(linesOf(page).at(-1)).toBe("assistant: Opening.\n\nIt is open.");
});

test("a tool that must never run twice ends as an error after a reload when it says so", async () => {
  const { page, runs, model } = await returnTo({ onReturn: "fail" });
  await until(page, isIdle);
  expect(runs).toEqual([]);
  expect(callOf(page)).toMatchObject({ status: "error" });
  expect(outcomeFor(model)).toContain("may or may not have run");
});

test("in a session without an owner who knows the thread may go on, and nobody else; history stays shut", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const harness = await createAgentHarness({ model });
  const first = openPage(harness, someSession());
  await first.sendMessage("One?");
  const threadId = first.getThreadId() ?? "";
  const second = openPage(harness, someSession());
  await expect(second.resumeThread(threadId)).rejects.toMatchObject({ code: "history_disabled" });
  await second.attachThread(threadId);
  await second.sendMessage("Two?");
  expect(second.getThreadId()).toBe(threadId);
  expect(linesOf(second)).toHaveLength(4);
  const stranger = openPage(harness, someSession({ owner: "al" }));
  await expect(stranger.attachThread(threadId)).rejects.toBeInstanceOf(ThreadNotFoundError);
  expect(stranger.getMessages()).toEqual([]);
});

test("the last answer is written anew in its place, here and on the server", async () => {
  const model = createScriptedModel(
    [...says("First."), finishes()],
    [...says("Better."), finishes()],
  );
  const harness = await createAgentHarness({ model });
  const session = someSession();
  const page = openPage(harness, session);
  await page.sendMessage("One?");
  await page.regenerate();
  expect(linesOf(page)).toEqual(["user: One?", "assistant: Better."]);
  const later = openPage(harness, session);
  await later.attachThread(page.getThreadId() ?? "");
  expect(linesOf(later)).toEqual(linesOf(page));
});

test("an edited question takes the place of the old one and of all behind it, also while that is being answered", async () => {
  const model = createScriptedModel(
    [...says("Fine."), finishes()],
    [{ type: "text-delta", id: "0", delta: "Never " }, "hangs"],
    [...says("Better."), finishes()],
  );
  const harness = await createAgentHarness({ model });
  const session = someSession();
  const page = openPage(harness, session);
  await page.sendMessage("One?");
  void page.sendMessage("Two?");
  await until(page, ({ messages }) => messages.at(-1)?.content === "Never ");
  await page.editMessage(page.getMessages()[0]?.id ?? "", "One, but better?");
  expect(linesOf(page)).toEqual(["user: One, but better?", "assistant: Better."]);
  expect(JSON.stringify(model.calls.at(-1)?.prompt)).not.toMatch(/One\?|Two|Never|Fine/);
  const later = openPage(harness, session);
  await later.attachThread(page.getThreadId() ?? "");
  expect(linesOf(later)).toEqual(linesOf(page));
  await expect(page.editMessage("u_none", "x")).rejects.toThrow(TypeError);
});

const failing: Partial<AgentOptions> = { sessionTokens: { failureHoldMs: 0 } };

test("trying again after tools have run sends their outputs again and runs none of them again", async () => {
  const model = createScriptedModel(
    [calls("c_1", "open_billing", { plan: "pro" }), finishes("tool-calls")],
    { rejects: { statusCode: 400 } },
    [...says("It is open."), finishes()],
  );
  const harness = await createAgentHarness({ model });
  const { tool, runs } = pageTool();
  const page = openPage(harness, someSession(), { tools: [tool], ...failing });
  await page.sendMessage("Open it");
  expect(page.getMessages().at(-1)).toMatchObject({ isError: true, retryable: expect.anything() });
  await page.retry();
  expect(linesOf(page)).toEqual(["user: Open it", "assistant: It is open."]);
  expect(runs).toHaveLength(1);
});

test("a failed answer of a conversation that was taken up can be tried again", async () => {
  const model = createScriptedModel({ rejects: { statusCode: 400 } }, [
    ...says("Now."),
    finishes(),
  ]);
  const harness = await createAgentHarness({ model });
  const session = someSession();
  const first = openPage(harness, session);
  await first.sendMessage("One?");
  const page = openPage(harness, session);
  await page.attachThread(first.getThreadId() ?? "");
  expect(page.getMessages().at(-1)).toMatchObject({ isError: true });
  await page.retry();
  expect(linesOf(page)).toEqual(["user: One?", "assistant: Now."]);
});
