import { expect, test } from "vitest";
import { createSqlUsageStore } from "../database/usage-store.ts";
import {
  createAgentHarness,
  only,
  problemOf,
  readAnswer,
  someQuestion,
  someSession,
} from "./testing/agent-harness.ts";
import {
  calls,
  createPausingModel,
  createScriptedModel,
  finishes,
  says,
} from "./testing/scripted-model.ts";

const within = (modelTokens: number) => someSession({ policy: { limits: { modelTokens } } });

async function open(model: Parameters<typeof createAgentHarness>[0]["model"]) {
  const harness = await createAgentHarness({ ...(model && { model }) });
  const store = createSqlUsageStore(harness.database);
  return {
    ...harness,
    spentBy: async ({ projectId, sid }: { projectId: string; sid: string }) =>
      (await store.read(projectId, sid)).modelTokens,
  };
}

test("a call of the model is told how much it may say, and what it counted is spent when the answer ends", async () => {
  const model = createScriptedModel([...says("Yes."), finishes("stop", { input: 700, output: 9 })]);
  const { ask, spentBy } = await open(model);
  const session = within(100_000);
  await ask(session, "May I?");
  const most = model.calls[0]?.maxOutputTokens ?? 0;
  expect(most).toBeGreaterThan(45_000);
  expect(most).toBeLessThan(50_000);
  expect(await spentBy(session)).toBe(709);
});

test("each call of a run takes its own share, and a run whose tokens are used up says so and stops", async () => {
  const searches = () => [calls("", "search_knowledge_base", { query: "limits" })];
  const model = createScriptedModel(
    [...searches(), finishes("tool-calls", { input: 2_000, output: 0 })],
    [...searches(), finishes("tool-calls", { input: 2_000, output: 0 })],
    [...says("Never said."), finishes()],
  );
  const { ask, chat, spentBy } = await open(model);
  const session = within(4_000);
  const { parts, text } = await ask(session, "How?");
  expect(model.calls).toHaveLength(2);
  expect(text).not.toContain("Never");
  expect(only(parts, "data-error")[0]?.data.code).toBe("budget_exhausted");
  expect(await spentBy(session)).toBe(4_000);
  const next = await chat(session, { messages: [someQuestion("And?")] });
  expect(next.status).toBe(429);
  expect((await problemOf(next)).code).toBe("budget_exhausted");
  expect(model.calls).toHaveLength(2);
});

test("an answer that is stopped is not free, nor is a model that counts nothing", async () => {
  const { model } = createPausingModel();
  const { chat, request, spentBy } = await open(model);
  const session = within(100_000);
  const response = await chat(session, { messages: [someQuestion("One?")] });
  const id = response.headers.get("x-thread-id");
  const reading = readAnswer(response);
  await new Promise((resolve) => setImmediate(resolve));
  await request(session, `/chat/${id}/stop`, { method: "POST" });
  await reading;
  expect(await spentBy(session)).toBeGreaterThan(100);

  const silent = createScriptedModel([...says("Yes."), finishes("stop", { input: 0, output: 0 })]);
  const other = await open(silent);
  await other.ask(session, "May I?");
  expect(await other.spentBy(session)).toBeGreaterThan(100);
});

test("a session follows ten answers at the same time after attaching again, and who leaves makes room", async () => {
  const { model, release } = createPausingModel();
  const { chat, request } = await open(model);
  const session = someSession();
  const first = await chat(session, { messages: [someQuestion("One?")] });
  const attach = () => request(session, `/chat/${first.headers.get("x-thread-id")}/stream`);
  const readers = await Promise.all(Array.from({ length: 10 }, attach));
  for (const { status } of readers) expect(status).toBe(200);
  const refused = await attach();
  expect(refused.status).toBe(429);
  expect((await problemOf(refused))["violated-policies"]).toEqual(["session-readers"]);
  await readers[0]?.body?.cancel();
  const eleventh = await attach();
  expect(eleventh.status).toBe(200);
  release();
  for (const reader of [first, eleventh, ...readers.slice(1)]) {
    expect((await readAnswer(reader)).text).toBe("One two.");
  }
});

test("a model that could not be reached costs nothing", async () => {
  const model = createScriptedModel({ rejects: new Error("refused") });
  const { ask, spentBy } = await open(model);
  const session = within(1_000_000);
  await ask(session, "May I?");
  expect(await spentBy(session)).toBe(0);
});

test("a question that is not recorded gives its turn and its place back", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const { ask, chat } = await open(model);
  const session = someSession({ policy: { limits: { turns: 2, streams: 1 } } });
  const first = await ask(session, "One?", { messages: [someQuestion("One?", "u_same")] });
  const again = { id: first.threadId, messages: [someQuestion("Other?", "u_same")] };
  const repeated = await chat(session, again);
  // It follows the run that it began, or is a conflict: it is no second turn either way.
  expect([200, 409]).toContain(repeated.status);
  await repeated.text();
  const outputs = { id: first.threadId, toolOutputs: [{ toolCallId: "call_x", output: 1 }] };
  expect((await chat(session, outputs)).status).toBe(400);
  expect((await ask(session, "Two?")).status).toBe(200);
  const third = await chat(session, { messages: [someQuestion("Three?")] });
  expect((await problemOf(third)).code).toBe("budget_exhausted");
});

test("an operator's bound on one call is told to the model, and a session's share only when it is less", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const harness = await createAgentHarness({ model, limits: { maxOutputTokens: 900 } });
  await harness.ask(someSession(), "May I?");
  await harness.ask(within(1_000_000), "May I?");
  await harness.ask(within(1_000), "May I?");
  const [plain, rich, poor] = model.calls.map(({ maxOutputTokens }) => maxOutputTokens ?? 0);
  expect([plain, rich]).toEqual([900, 900]);
  expect(poor).toBeGreaterThan(0);
  expect(poor).toBeLessThan(900);
});

test("what a call may cost is written before the model is asked, for a session that pays", async () => {
  const owed: number[] = [];
  let opened: Awaited<ReturnType<typeof open>> | undefined;
  const asked = createScriptedModel([
    { waitsFor: Promise.resolve() },
    ...says("Yes."),
    finishes("stop", { input: 700, output: 9 }),
  ]);
  const spying = {
    ...asked,
    async doStream(options: Parameters<typeof asked.doStream>[0]) {
      const row = await opened?.database
        .selectFrom("run")
        .select("owed_tokens")
        .where("ended_at_ms", "is", null)
        .executeTakeFirstOrThrow();
      owed.push(Number(row?.owed_tokens));
      return asked.doStream(options);
    },
  };
  opened = await open(spying);
  const session = within(100_000);
  await opened.ask(session, "May I?");
  await opened.ask(someSession(), "May I?");
  expect(owed[0]).toBeGreaterThan(100);
  expect(owed[1]).toBe(0);
  expect(await opened.spentBy(session)).toBe(709);
});
