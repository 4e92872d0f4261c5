import { expect, test } from "vitest";
import { createSqlRunStore } from "../database/run-store.ts";
import type { ToolCallRow } from "../database/schema.ts";
import { useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";
import { createSqlThreadStore } from "../database/thread-store.ts";
import { createSqlUsageStore } from "../database/usage-store.ts";
import type { NewRun, RunDraft } from "./run-store.ts";
import { someCall } from "./testing/some-call.ts";
import type { AnswerToSave, NewMessage } from "./thread-store.ts";

const startMs = 1_800_000_000_000;
const usage = { inputTokens: 7, outputTokens: 3 };

/** What every `RunStore` promises. */
export function runStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const runs = () => createSqlRunStore(place.database);
  const threads = () => createSqlThreadStore(place.database);
  let made = 0;

  const message = (threadId: string, id: string, role: NewMessage["role"]): NewMessage => ({
    id,
    thread_id: threadId,
    role,
    parts: JSON.stringify([{ type: "text", text: id }]),
    cited: null,
    error: null,
    created_at_ms: startMs,
  });
  const call = (threadId: string, id: string, state: ToolCallRow["state"]): ToolCallRow =>
    someCall({
      id,
      thread_id: threadId,
      state,
      output: state === "completed" ? "{}" : null,
      created_at_ms: startMs,
      ended_at_ms: state === "completed" ? startMs : null,
    });
  const answer = (threadId: string, id: string, more: Partial<AnswerToSave> = {}) => ({
    message: message(threadId, id, "assistant"),
    calls: [],
    atMs: startMs + 1,
    ...more,
  });
  const draft = (threadId: string, more: Partial<RunDraft> = {}): RunDraft => ({
    parts: [
      { type: "step" },
      { type: "text", text: "So far \u0000 😀" },
      { type: "tool-call", toolCallId: "c1" },
    ],
    calls: [call(threadId, "c1", "completed"), call(threadId, "c2", "pending")],
    cited: [2],
    usage,
    owedTokens: 0,
    ...more,
  });
  /** A thread with one question, and a run that answers it. */
  async function begin(more: Partial<NewRun> = {}): Promise<NewRun> {
    made += 1;
    const projectId = await place.newProject();
    const threadId = `thr_${made}`;
    await threads().addQuestion({
      thread: {
        id: threadId,
        project_id: projectId,
        integration_id: null,
        owner: "jo",
        only_sid: null,
        title: "Title",
        created_at_ms: startMs,
        updated_at_ms: startMs,
        deleted_at_ms: null,
      },
      isNew: true,
      message: message(threadId, "q1", "user"),
    });
    const run: NewRun = {
      id: `run_${made}`,
      project_id: projectId,
      thread_id: threadId,
      message_id: "a1",
      replaces: null,
      sid: `ses_${made}`,
      owner: "jo",
      until_s: startMs / 1000 + 60,
      started_at_ms: startMs,
      ...more,
    };
    await runs().begin(run);
    return run;
  }
  const read = (run: NewRun) => threads().read(run.thread_id, 99);
  const spentBy = async (run: NewRun) =>
    (await createSqlUsageStore(place.database).read(run.project_id, run.sid)).modelTokens;

  test(`${kind.name}: a run that was cut off is ended with what was kept of it, its call stopped, and its session pays`, async () => {
    const run = await begin();
    await runs().keepDraft(run.id, draft(run.thread_id, { parts: [], owedTokens: 5 }));
    await runs().keepDraft(run.id, draft(run.thread_id, { owedTokens: 70 }));
    await place.reopen();
    expect((await read(run)).messages.map(({ id }) => id)).toEqual(["q1"]);
    expect(await runs().endInterrupted(startMs + 9)).toBe(1);
    const { messages, calls } = await read(run);
    expect(messages[1]).toMatchObject({
      id: "a1",
      role: "assistant",
      error: "run_interrupted",
      parts: JSON.stringify(draft("").parts),
      cited: "[2]",
    });
    expect(calls.map(({ id, state, ended_at_ms }) => [id, state, ended_at_ms]).sort()).toEqual([
      ["c1", "completed", startMs],
      ["c2", "stopped", startMs + 9],
    ]);
    expect(await spentBy(run)).toBe(70);
    expect(await runs().find(run.thread_id, run.id)).toEqual({
      ...run,
      ended_at_ms: startMs + 9,
      ending: "run_interrupted",
      input_tokens: 7,
      output_tokens: 3,
      owed_tokens: 0,
      draft: null,
    });
    expect(await runs().endInterrupted(startMs + 10)).toBe(0);
    expect(await spentBy(run)).toBe(70);
  });

  test(`${kind.name}: what ran when its server went away ends as an error that says so, and what is known to have ended stays as it was`, async () => {
    const run = await begin();
    const thread = run.thread_id;
    const began = (id: string): ToolCallRow => ({
      ...call(thread, id, "running"),
      started_at_ms: startMs,
    });
    const calls = [began("c1"), began("c2"), call(thread, "c3", "approved")];
    await threads().saveAnswer(answer(thread, "a1", { calls }));
    // Kept when all of them still ran.
    await runs().keepDraft(run.id, draft(thread, { calls: calls.slice(0, 2) }));
    await threads().changeCalls(thread, [
      { id: "c1", from: "running", to: { state: "completed", output: '{"value":1}' } },
    ]);
    await place.reopen();
    await runs().endInterrupted(startMs + 9);
    const after = new Map((await read(run)).calls.map((each) => [each.id, each]));
    expect(after.get("c1")).toMatchObject({ state: "completed", output: '{"value":1}' });
    expect(after.get("c2")).toMatchObject({ state: "error", ended_at_ms: startMs + 9 });
    expect(after.get("c2")?.output).toMatch(/may or may not have taken effect/);
    expect(after.get("c3")?.state).toBe("approved");
    expect((await read(run)).messages[1]?.error).toBe("run_interrupted");
  });

  test(`${kind.name}: a call that was put down before it took effect stays in the answer, whatever was kept before it`, async () => {
    const run = await begin();
    const thread = run.thread_id;
    await runs().keepDraft(run.id, draft(thread, { parts: [{ type: "step" }], calls: [] }));
    const parts = [
      { type: "step" },
      { type: "text", text: "I open one." },
      { type: "tool-call", toolCallId: "c1" },
    ];
    await threads().saveAnswer(
      answer(thread, "a1", {
        message: { ...message(thread, "a1", "assistant"), parts: JSON.stringify(parts) },
        calls: [call(thread, "c1", "running")],
      }),
    );
    await place.reopen();
    await runs().endInterrupted(startMs + 9);
    const { messages, calls } = await read(run);
    expect(JSON.parse(messages[1]?.parts ?? "[]")).toEqual(parts);
    expect(calls.map(({ state }) => state)).toEqual(["error"]);
  });

  test(`${kind.name}: a run of which nothing was kept leaves an empty answer that failed`, async () => {
    const run = await begin();
    await runs().endInterrupted(startMs);
    expect((await read(run)).messages[1]).toMatchObject({ parts: "[]", error: "run_interrupted" });
    expect(await spentBy(run)).toBe(0);
  });

  test(`${kind.name}: an answer that went on keeps its earlier part, and one that was to be replaced gives way`, async () => {
    const goesOn = await begin();
    await threads().saveAnswer(answer(goesOn.thread_id, "a1"));
    const again = await begin({ message_id: "a2", replaces: "a1" });
    await threads().saveAnswer(answer(again.thread_id, "a1"));
    await runs().endInterrupted(startMs);
    expect((await read(goesOn)).messages.map(({ id, parts, error }) => [id, parts, error])).toEqual(
      [
        ["q1", '[{"type":"text","text":"q1"}]', null],
        ["a1", '[{"type":"text","text":"a1"}]', "run_interrupted"],
      ],
    );
    expect((await read(again)).messages.map(({ id, error }) => [id, error])).toEqual([
      ["q1", null],
      ["a2", "run_interrupted"],
    ]);
  });

  test(`${kind.name}: a conversation that went on without the run, or is gone, is left as it is`, async () => {
    const behind = await begin({ message_id: "a_never" });
    await threads().saveAnswer(answer(behind.thread_id, "a1"));
    const gone = await begin({ thread_id: "thr_gone" });
    expect(await runs().endInterrupted(startMs)).toBe(2);
    expect((await read(behind)).messages.map(({ id, error }) => [id, error])).toEqual([
      ["q1", null],
      ["a1", null],
    ]);
    expect((await runs().find("thr_gone", gone.id))?.ending).toBe("run_interrupted");
  });

  test(`${kind.name}: the end of a run brings its answer, its price and its usage, all or none of them`, async () => {
    const run = await begin();
    const session = { sid: run.sid, projectId: run.project_id, untilS: run.until_s };
    const end = (answered: AnswerToSave) =>
      runs().end({
        id: run.id,
        atMs: startMs + 3,
        ending: "finished",
        usage,
        answer: answered,
        spent: { session, modelTokens: 10 },
      });
    const impossible = answer(run.thread_id, "a1");
    await expect(
      end({ ...impossible, message: { ...impossible.message, parts: null as unknown as string } }),
    ).rejects.toThrow();
    expect((await read(run)).messages).toHaveLength(1);
    expect(await spentBy(run)).toBe(0);
    expect((await runs().find(run.thread_id, run.id))?.ended_at_ms).toBeNull();

    await end(answer(run.thread_id, "a1"));
    await place.reopen();
    expect((await read(run)).messages.map(({ id }) => id)).toEqual(["q1", "a1"]);
    expect(await spentBy(run)).toBe(10);
    expect(await runs().find(run.thread_id, run.id)).toMatchObject({
      ended_at_ms: startMs + 3,
      ending: "finished",
      input_tokens: 7,
      output_tokens: 3,
    });
    // A write that comes late must not bring back what is over.
    await runs().keepDraft(run.id, draft(run.thread_id, { owedTokens: 99 }));
    expect(await runs().endInterrupted(startMs + 9)).toBe(0);
    expect((await runs().find(run.thread_id, run.id))?.draft).toBeNull();
  });

  test(`${kind.name}: a run is found in its own thread alone`, async () => {
    const run = await begin();
    expect(await runs().find("thr_other", run.id)).toBeUndefined();
    expect(await runs().find(run.thread_id, "run_other")).toBeUndefined();
    await runs().endInterrupted(startMs);
  });
}
