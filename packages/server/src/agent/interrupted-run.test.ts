import type { StoredThread } from "@valet/protocol";
import { expect, test } from "vitest";
import { createSqlUsageStore } from "../database/usage-store.ts";
import {
  createAgentHarness,
  only,
  readAnswer,
  someQuestion,
  someSession,
  typesOf,
} from "./testing/agent-harness.ts";
import { calls, createScriptedModel, finishes, says } from "./testing/scripted-model.ts";

/** Reads until a text has come, and leaves. */
async function untilSaid(response: Response, text: string): Promise<void> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  for (let all = ""; !all.includes(text); ) {
    const { value } = await reader.read();
    if (!value) throw new Error(`The stream ended without ${text}.`);
    all += Buffer.from(value).toString();
  }
  void reader.cancel();
}

/** A server whose run hangs in its second step, and the one that comes after it. */
async function cutOff(session = someSession({ owner: "jo" })) {
  const before = await createAgentHarness({
    model: createScriptedModel(
      [
        ...says("Let me look."),
        calls("c_1", "search_knowledge_base", { query: "limits" }),
        finishes("tool-calls", { input: 40, output: 2 }),
      ],
      [...says("Half an answer"), "hangs"],
    ),
    limits: { draftEveryMs: 60_000 },
  });
  const question = someQuestion("How many?");
  const response = await before.chat(session, { messages: [question] });
  await untilSaid(response, "Half an answer");
  const threadId = response.headers.get("x-thread-id") ?? "";
  const runId = response.headers.get("x-run-id") ?? "";
  // What a killed process leaves: its database, and nobody who ends the run.
  const model = createScriptedModel([...says("Fifty."), finishes()]);
  const after = await createAgentHarness({ database: before.database, model });
  expect(await after.record.endInterrupted(Date.now())).toBe(1);
  const read = async (): Promise<StoredThread> =>
    (await (await after.request(session, `/threads/${threadId}`)).json()) as StoredThread;
  return { after, before, session, question, threadId, runId, read, model };
}

test("a thread whose run was cut off shows every finished step, and says that it was interrupted", async () => {
  const { read } = await cutOff();
  const { messages, active_run_id } = await read();
  expect(active_run_id).toBeNull();
  expect(messages).toHaveLength(2);
  expect(messages[1]?.error?.code).toBe("run_interrupted");
  expect(messages[1]?.parts).toMatchObject([
    { type: "text", text: "Let me look." },
    { type: "tool-call", toolCallId: "c_1", state: "completed" },
  ]);
  expect(messages[1]?.sources).toHaveLength(1);
});

test("who attaches again to a run that was cut off is told its end, in frames that follow the last", async () => {
  const { after, session, threadId, runId } = await cutOff();
  const attach = (headers: Record<string, string>, who = session) =>
    after.request(who, `/chat/${threadId}/stream`, { headers });
  const answer = await readAnswer(await attach({ "last-event-id": `${runId}:7` }));
  expect(typesOf(answer.parts)).toEqual(["data-error", "error", "finish"]);
  expect(only(answer.parts, "data-error")[0]?.data).toEqual({
    code: "run_interrupted",
    retryable: true,
    requestId: "req_test",
  });
  expect(answer.events.map(({ id }) => id)).toEqual([
    `${runId}:8`,
    `${runId}:9`,
    `${runId}:10`,
    "",
  ]);
  expect(answer.events.at(-1)?.data).toBe("[DONE]");
  expect(answer.runId).toBe(runId);
  // Nothing goes on, of other runs nothing is known, and others learn nothing.
  expect((await attach({})).status).toBe(204);
  expect((await attach({ "last-event-id": "run_unknown:7" })).status).toBe(204);
  const stranger = await attach({ "last-event-id": `${runId}:7` }, someSession({ owner: "kim" }));
  expect(stranger.status).toBe(404);
});

test("the same question may be sent again and is answered anew, in the place of what was cut off", async () => {
  const { after, session, question, threadId, read, model } = await cutOff();
  const again = await after.chat(session, { id: threadId, messages: [question] });
  expect((await readAnswer(again)).text).toBe("Fifty.");
  const { messages } = await read();
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
  expect(messages[1]).toMatchObject({ parts: [{ type: "text", text: "Fifty." }] });
  expect(messages[1]?.error).toBeUndefined();
  expect(JSON.stringify(model.calls[0]?.prompt)).not.toContain("Let me look.");
});

test("a session pays for a run that was cut off, with the call that went on", async () => {
  const session = someSession({ owner: "jo", policy: { limits: { modelTokens: 100_000 } } });
  const { after } = await cutOff(session);
  const { modelTokens } = await createSqlUsageStore(after.database).read("prj_1", session.sid);
  // The first step counted 42; the prompt of the second, which holds a passage, is far more.
  expect(modelTokens).toBeGreaterThan(42 + 100);
});

test("an answer is kept in the middle of a step as well, within the time that is set", async () => {
  const before = await createAgentHarness({
    model: createScriptedModel([...says("Half an answer"), "hangs"]),
    limits: { draftEveryMs: 1 },
  });
  const session = someSession({ owner: "jo" });
  const response = await before.chat(session, { messages: [someQuestion("How many?")] });
  await untilSaid(response, "Half an answer");
  const threadId = response.headers.get("x-thread-id") ?? "";
  const runId = response.headers.get("x-run-id") ?? "";
  for (let draft = ""; !draft.includes("Half an answer"); ) {
    await new Promise((resolve) => setImmediate(resolve));
    draft = (await before.record.find(threadId, runId))?.draft ?? "";
  }
  // Nothing of it is in the conversation as long as its stream tells it.
  expect((await before.store.read(threadId, 9)).messages).toHaveLength(1);
  await before.record.endInterrupted(Date.now());
  const { messages } = await before.store.read(threadId, 9);
  expect(messages[1]?.parts).toContain("Half an answer");
});

test("what each run has used stands under its session and owner", async () => {
  const model = createScriptedModel([...says("Yes."), finishes("stop", { input: 70, output: 9 })]);
  const { ask, record } = await createAgentHarness({ model });
  const session = someSession({ owner: "jo" });
  const { threadId, runId } = await ask(session, "Is it?");
  expect(await record.find(threadId, runId)).toMatchObject({
    project_id: "prj_1",
    sid: session.sid,
    owner: "jo",
    ending: "finished",
    input_tokens: 70,
    output_tokens: 9,
    draft: null,
  });
});

test("results of the page's tools that were recorded without a run may be sent again", async () => {
  const model = createScriptedModel(
    [calls("c_1", "open_billing", {}), finishes("tool-calls")],
    [...says("It is open."), finishes()],
  );
  const { ask, chat, store, request } = await createAgentHarness({ model });
  const session = someSession({ owner: "jo" });
  const tools = [{ name: "open_billing", description: "Opens billing.", inputSchema: {} }];
  const { threadId } = await ask(session, "Open it", { tools });
  // The server ended after this and before the run was recorded.
  const to = { state: "completed", output: '{"value":true}', ended_at_ms: 1 } as const;
  expect(await store.changeCalls(threadId, [{ id: "c_1", from: "pending", to }])).toBe(true);
  const body = { id: threadId, tools, toolOutputs: [{ toolCallId: "c_1", output: true }] };
  expect((await readAnswer(await chat(session, body))).text).toBe("It is open.");
  const late = await chat(session, { ...body, toolOutputs: [{ toolCallId: "c_1", output: 2 }] });
  expect([200, 409]).toContain(late.status);
  const thread = (await (await request(session, `/threads/${threadId}`)).json()) as StoredThread;
  expect(thread.messages[1]?.parts).toMatchObject([{ output: true }, { text: "It is open." }]);
  expect(model.calls).toHaveLength(2);
});

test("a run that ended in order is told only while its log is there", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const before = await createAgentHarness({ model });
  const session = someSession({ owner: "jo" });
  const { threadId, runId } = await before.ask(session, "Is it?");
  const after = await createAgentHarness({ database: before.database, model });
  expect(await after.record.endInterrupted(Date.now())).toBe(0);
  const response = await after.request(session, `/chat/${threadId}/stream`, {
    headers: { "last-event-id": `${runId}:2` },
  });
  expect(response.status).toBe(204);
});

test("a server that closes leaves the same behind as one that was killed", async () => {
  const model = createScriptedModel([...says("Half an answer"), "hangs"]);
  const before = await createAgentHarness({ model });
  const session = someSession({ owner: "jo" });
  const response = await before.chat(session, { messages: [someQuestion("How many?")] });
  await untilSaid(response, "Half an answer");
  await before.agent.close();
  const runId = response.headers.get("x-run-id") ?? "";
  const path = `/chat/${response.headers.get("x-thread-id")}/stream`;
  const after = await createAgentHarness({ database: before.database, model });
  expect(await after.record.endInterrupted(Date.now())).toBe(0);
  const told = await after.request(session, path, { headers: { "last-event-id": `${runId}:1` } });
  expect(only((await readAnswer(told)).parts, "data-error")[0]?.data.code).toBe("run_interrupted");
});

test("a question whose run could not begin leaves no run that goes on", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const harness = await createAgentHarness({ model });
  const read = harness.store.read;
  let failures = 1;
  // The question and its run are written; what comes next fails.
  Object.assign(harness.store, {
    read: (...args: Parameters<typeof read>) => {
      failures -= 1;
      return failures === 0 ? Promise.reject(new Error("gone")) : read(...args);
    },
  });
  const session = someSession({ owner: "jo" });
  const question = someQuestion("Is it?", "a_long_enough_id_of_a_message");
  expect((await harness.chat(session, { messages: [question] })).status).toBe(500);
  expect(await harness.record.endInterrupted(Date.now())).toBe(0);
  const again = await readAnswer(await harness.chat(session, { messages: [question] }));
  expect(again.text).toBe("Yes.");
});
