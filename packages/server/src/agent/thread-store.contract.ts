import { expect, test } from "vitest";
import { createSqlRunStore } from "../database/run-store.ts";
import type { ThreadRow, ToolCallRow } from "../database/schema.ts";
import { useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";
import { createSqlThreadStore } from "../database/thread-store.ts";
import { someCall } from "./testing/some-call.ts";
import { type CallChange, type NewMessage, openStates } from "./thread-store.ts";

const startMs = 1_800_000_000_000;

/** What every `ThreadStore` promises. */
export function threadStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const store = () => createSqlThreadStore(place.database);
  let made = 0;
  const newThread = (projectId: string, changes: Partial<ThreadRow> = {}): ThreadRow => {
    made += 1;
    return {
      id: `thr_${made}`,
      project_id: projectId,
      integration_id: null,
      owner: "jo",
      only_sid: null,
      title: "Title",
      created_at_ms: startMs,
      updated_at_ms: startMs,
      deleted_at_ms: null,
      ...changes,
    };
  };
  const message = (
    threadId: string,
    id: string,
    role: NewMessage["role"] = "user",
    atMs = startMs,
  ): NewMessage => ({
    id,
    thread_id: threadId,
    role,
    parts: JSON.stringify([{ type: "text", text: `${id} \u0000 😀` }]),
    cited: null,
    error: null,
    created_at_ms: atMs,
  });
  const call = (
    threadId: string,
    messageId: string,
    id: string,
    more: Partial<ToolCallRow> = {},
  ): ToolCallRow => someCall({ id, thread_id: threadId, message_id: messageId, ...more });
  const begin = async (changes?: Partial<ThreadRow>): Promise<ThreadRow> => {
    const thread = newThread(await place.newProject(), changes);
    await store().addQuestion({ thread, isNew: true, message: message(thread.id, "q1") });
    return thread;
  };
  const end = (id: string): CallChange => ({
    id,
    from: "pending",
    to: { state: "completed", output: "{}", ended_at_ms: startMs },
  });
  const answer = (thread: ThreadRow, calls: readonly ToolCallRow[], id = "a1") =>
    store().saveAnswer({
      message: message(thread.id, id, "assistant"),
      calls,
      atMs: startMs,
    });
  const states = async (threadId: string) =>
    Object.fromEntries(
      (await store().read(threadId, 99)).calls.map(({ id, state }) => [id, state]),
    );
  const places = async (threadId: string) =>
    (await store().read(threadId, 99)).messages.map(({ id, position }) => `${id}@${position}`);

  test(`${kind.name}: a conversation is read back in its order when the database is opened again`, async () => {
    const thread = await begin();
    await store().saveAnswer({
      message: message(thread.id, "a1", "assistant"),
      calls: [call(thread.id, "a1", "c1")],
      atMs: startMs + 1,
    });
    await place.reopen();
    expect(await store().find(thread.project_id, thread.id)).toEqual({
      ...thread,
      updated_at_ms: startMs + 1,
    });
    const { messages, calls } = await store().read(thread.id, 99);
    expect(messages.map(({ id, role }) => [id, role])).toEqual([
      ["q1", "user"],
      ["a1", "assistant"],
    ]);
    expect(messages[0]?.parts).toBe(message(thread.id, "q1").parts);
    expect(calls).toEqual([call(thread.id, "a1", "c1")]);
    expect(await store().callIds(thread.id)).toEqual([{ id: "c1", approval_id: null }]);
    expect(await store().countMessages(thread.id)).toBe(2);
  });

  test(`${kind.name}: a thread that is not there has no contents`, async () => {
    expect(await store().read("thr_none", 9)).toEqual({
      messages: [],
      calls: [],
      sources: [],
      feedback: [],
    });
    expect(await store().find("prj_none", "thr_none")).toBeUndefined();
  });

  test(`${kind.name}: what is written into a thread at the same time gets a place each`, async () => {
    const thread = await begin();
    const writes = Array.from({ length: 10 }, (_, at) =>
      at % 2 === 0
        ? store().addQuestion({ thread, isNew: false, message: message(thread.id, `m${at}`) })
        : store().saveAnswer({
            message: message(thread.id, `m${at}`, "assistant"),
            calls: [],
            atMs: startMs + at,
          }),
    );
    await Promise.all(writes);
    const taken = (await places(thread.id)).map((each) => each.split("@")[1]);
    expect(taken).toEqual(Array.from({ length: 11 }, (_, at) => String(at)));
  });

  test(`${kind.name}: two first questions of one thread make it once and are both in it`, async () => {
    const thread = newThread(await place.newProject());
    const ask = (id: string) =>
      store().addQuestion({ thread, isNew: true, message: message(thread.id, id) });
    await Promise.all([ask("q1"), ask("q2")]);
    expect((await places(thread.id)).map((each) => each.split("@")[1])).toEqual(["0", "1"]);
  });

  test(`${kind.name}: a question that cannot be written makes no thread and stops no call`, async () => {
    const thread = await begin();
    await store().saveAnswer({
      message: message(thread.id, "a1", "assistant"),
      calls: [call(thread.id, "a1", "c1")],
      atMs: startMs,
    });
    const again = message(thread.id, "q1", "user", startMs + 9);
    await expect(store().addQuestion({ thread, isNew: false, message: again })).rejects.toThrow();
    expect((await store().read(thread.id, 9)).calls[0]?.state).toBe("pending");
    expect((await store().find(thread.project_id, thread.id))?.updated_at_ms).toBe(startMs);
    const fresh = newThread(thread.project_id);
    const impossible = { ...message(fresh.id, "q1"), parts: null as unknown as string };
    await expect(
      store().addQuestion({ thread: fresh, isNew: true, message: impossible }),
    ).rejects.toThrow();
    expect(await store().find(fresh.project_id, fresh.id)).toBeUndefined();
  });

  test(`${kind.name}: a question and the run that answers it are written together or not at all`, async () => {
    const thread = newThread(await place.newProject());
    const run = {
      id: `run_of_${thread.id}`,
      project_id: thread.project_id,
      thread_id: thread.id,
      message_id: "a1",
      replaces: null,
      sid: "ses_1",
      owner: "jo",
      until_s: 1,
      started_at_ms: startMs,
    };
    const runs = createSqlRunStore(place.database);
    const impossible = { ...run, sid: null as unknown as string };
    const question = { thread, isNew: true, message: message(thread.id, "q1") };
    await expect(store().addQuestion({ ...question, run: impossible })).rejects.toThrow();
    expect(await store().find(thread.project_id, thread.id)).toBeUndefined();
    await store().addQuestion({ ...question, run });
    expect(await runs.find(thread.id, run.id)).toMatchObject({ ...run, ended_at_ms: null });
    await runs.endInterrupted(startMs);
  });

  test(`${kind.name}: of those who take a call to its next state at the same time one does, and the others change nothing`, async () => {
    const thread = await begin();
    const ids = ["c1", "c2", "c3", "c4"];
    const approved = { state: "approval_requested" } as const;
    await answer(
      thread,
      ids.map((id) =>
        call(thread.id, "a1", id, { ...approved, approval_id: `${thread.id}-${id}` }),
      ),
    );
    const take = (at: number): CallChange[] =>
      (at % 2 === 0 ? ids : [...ids].reverse()).map((id) => ({
        id,
        from: "approval_requested",
        to: { state: "running", started_at_ms: startMs + at, decided_by: `ses_${at}` },
      }));
    const taken = await Promise.all(
      Array.from({ length: 8 }, (_, at) => store().changeCalls(thread.id, take(at))),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
    const { calls } = await store().read(thread.id, 9);
    const winner = taken.indexOf(true);
    expect(calls.map(({ decided_by }) => decided_by)).toEqual(ids.map(() => `ses_${winner}`));
  });

  test(`${kind.name}: a call that is not in the state it is to leave keeps the others in theirs`, async () => {
    const thread = await begin();
    await answer(thread, [call(thread.id, "a1", "c1"), call(thread.id, "a1", "c2")]);
    const refused: CallChange[][] = [
      [end("c1"), { ...end("c2"), from: "approved" }],
      [end("c1"), end("c9")],
      [end("c1"), end("c1")],
    ];
    for (const changes of refused) {
      expect(await store().changeCalls(thread.id, changes)).toBe(false);
      expect(await states(thread.id)).toEqual({ c1: "pending", c2: "pending" });
    }
    const other = await begin();
    expect(await store().changeCalls(other.id, [end("c1")])).toBe(false);
    // Two steps of one call, in their order.
    const steps: CallChange[] = [
      { id: "c1", from: "pending", to: { state: "approved", decided_at_ms: startMs } },
      { ...end("c1"), from: "approved" },
    ];
    expect(await store().changeCalls(thread.id, steps)).toBe(true);
    expect(await states(thread.id)).toEqual({ c1: "completed", c2: "pending" });
    expect(await store().changeCalls(thread.id, [])).toBe(true);
  });

  test(`${kind.name}: a new question stops what is open, and what was ended stays as it was`, async () => {
    const thread = await begin();
    await answer(thread, [
      call(thread.id, "a1", "c1"),
      ...openStates.map((state) => call(thread.id, "a1", state, { state })),
    ]);
    expect(await store().changeCalls(thread.id, [end("c1")])).toBe(true);
    await store().addQuestion({ thread, isNew: false, message: message(thread.id, "q2") });
    expect(await states(thread.id)).toEqual({
      c1: "completed",
      pending: "stopped",
      approval_requested: "stopped",
      approved: "stopped",
      running: "stopped",
    });
    expect(await store().changeCalls(thread.id, [end("pending")])).toBe(false);
  });

  test(`${kind.name}: whoever stops a thread's calls is told how many were open, and leaves other threads alone`, async () => {
    const [thread, other] = [await begin(), await begin()];
    const calls = (id: string) => [
      call(id, "a1", "c1", { state: "approval_requested" }),
      call(id, "a1", "c2", { state: "denied" }),
    ];
    await answer(thread, calls(thread.id));
    await answer(other, calls(other.id));
    expect(await store().stopCalls(thread.id, startMs)).toBe(1);
    expect(await store().stopCalls(thread.id, startMs)).toBe(0);
    expect(await states(thread.id)).toEqual({ c1: "stopped", c2: "denied" });
    expect(await states(other.id)).toEqual({ c1: "approval_requested", c2: "denied" });
  });

  test(`${kind.name}: no two calls have the same approval`, async () => {
    const thread = await begin();
    const approval = { approval_id: `${thread.id}-apr` };
    await answer(thread, [call(thread.id, "a1", "c1", approval)]);
    await expect(answer(thread, [call(thread.id, "a1", "c2", approval)])).rejects.toThrow();
  });

  test(`${kind.name}: an answer that gives way leaves on record what was decided and done for it`, async () => {
    const thread = await begin();
    await answer(thread, [
      call(thread.id, "a1", "done", { state: "completed", started_at_ms: startMs }),
      call(thread.id, "a1", "decided", { state: "approved", decided_at_ms: startMs }),
      call(thread.id, "a1", "asked", { state: "approval_requested" }),
    ]);
    await store().saveAnswer({
      message: message(thread.id, "a2", "assistant"),
      calls: [],
      replaces: "a1",
      atMs: startMs,
    });
    expect((await store().callIds(thread.id)).map(({ id }) => id).sort()).toEqual([
      "decided",
      "done",
    ]);
    expect(await store().changeCalls(thread.id, [{ ...end("decided"), from: "approved" }])).toBe(
      false,
    );
  });

  test(`${kind.name}: an answer goes on in its place, or takes the place of the one before it with all that hangs on that`, async () => {
    const thread = await begin();
    const save = (id: string, error: string | null, replaces?: string) =>
      store().saveAnswer({
        message: { ...message(thread.id, id, "assistant"), error },
        calls: [call(thread.id, id, `c_${id}`)],
        atMs: startMs,
        ...(replaces !== undefined && { replaces }),
      });
    await save("a1", "model_unavailable");
    await save("a1", null);
    expect(await places(thread.id)).toEqual(["q1@0", "a1@1"]);
    await store().setFeedback({
      thread_id: thread.id,
      message_id: "a1",
      rating: "down",
      comment: null,
      at_ms: startMs,
    });
    await save("a2", null, "a1");
    expect(await places(thread.id)).toEqual(["q1@0", "a2@1"]);
    const { calls, feedback } = await store().read(thread.id, 9);
    expect([calls.map(({ id }) => id), feedback]).toEqual([["c_a2"], []]);
  });

  test(`${kind.name}: the last messages are given, oldest first, with the calls of those alone`, async () => {
    const thread = await begin();
    for (const id of ["a1", "a2", "a3"]) {
      await store().saveAnswer({
        message: message(thread.id, id, "assistant"),
        calls: [call(thread.id, id, `c_${id}`)],
        atMs: startMs,
      });
    }
    const { messages, calls } = await store().read(thread.id, 2);
    expect(messages.map(({ id }) => id)).toEqual(["a2", "a3"]);
    expect(calls.map(({ id }) => id).sort()).toEqual(["c_a2", "c_a3"]);
  });

  test(`${kind.name}: pages of an owner's threads hold each of them once, last changed first, and none that is not theirs`, async () => {
    const projectId = await place.newProject();
    const threads: ThreadRow[] = [];
    for (let at = 0; at < 11; at += 1) {
      const thread = newThread(projectId, { updated_at_ms: startMs + Math.floor(at / 4) });
      await store().addQuestion({ thread, isNew: true, message: message(thread.id, "q1") });
      threads.push(thread);
    }
    const hidden = [
      { owner: "kim" },
      { only_sid: "ses_1" },
      { deleted_at_ms: startMs },
      { owner: null },
    ];
    for (const changes of hidden) {
      const thread = newThread(projectId, changes);
      await store().addQuestion({ thread, isNew: true, message: message(thread.id, "q1") });
    }
    await begin();
    const seen: string[] = [];
    let before: { updatedAtMs: number; id: string } | undefined;
    while (seen.length < 99) {
      const page = await store().list({
        projectId,
        owner: "jo",
        limit: 3,
        ...(before && { before }),
      });
      const last = page.at(-1);
      if (!last) break;
      expect(page.every(({ message_count }) => message_count === 1)).toBe(true);
      before = { updatedAtMs: last.updated_at_ms, id: last.id };
      seen.push(...page.map(({ id }) => id));
    }
    expect([...seen].sort()).toEqual(threads.map(({ id }) => id).sort());
    const instants = new Map(threads.map((thread) => [thread.id, thread.updated_at_ms]));
    const order = seen.map((id) => instants.get(id) ?? 0);
    expect(order).toEqual([...order].sort((a, b) => b - a));
  });

  test(`${kind.name}: a question that replaces another takes with it what stood behind it, and nothing else`, async () => {
    const thread = await begin();
    const answer = (id: string, callId: string) =>
      store().saveAnswer({
        message: message(thread.id, id, "assistant"),
        calls: [call(thread.id, id, callId)],
        atMs: startMs,
      });
    await answer("a1", "c1");
    await store().addQuestion({ thread, isNew: false, message: message(thread.id, "q2") });
    await answer("a2", "c2");
    const word = { thread_id: thread.id, rating: "up", comment: null, at_ms: startMs } as const;
    await store().setFeedback({ ...word, message_id: "a1" });
    await store().setFeedback({ ...word, message_id: "a2" });
    const ask = (id: string, replaces: string, title = thread.title) =>
      store().addQuestion({
        thread: { ...thread, title },
        isNew: false,
        message: message(thread.id, id),
        replaces,
      });
    await ask("q3", "q2", "Another");
    expect(await places(thread.id)).toEqual(["q1@0", "a1@1", "q3@2"]);
    expect((await store().callIds(thread.id)).map(({ id }) => id)).toEqual(["c1"]);
    const { feedback } = await store().read(thread.id, 9);
    expect(feedback.map(({ message_id }) => message_id)).toEqual(["a1"]);
    expect((await store().find(thread.project_id, thread.id))?.title).toBe("Title");
    // The first of them gives the thread its name, also under the id that it had.
    await ask("q1", "q1", "Another");
    expect(await places(thread.id)).toEqual(["q1@0"]);
    expect(await store().callIds(thread.id)).toEqual([]);
    expect((await store().find(thread.project_id, thread.id))?.title).toBe("Another");
  });

  test(`${kind.name}: a deleted thread is in no list, and is still known as deleted`, async () => {
    const thread = await begin();
    await store().remove(thread.project_id, thread.id, startMs + 5);
    expect(await store().list({ projectId: thread.project_id, owner: "jo", limit: 9 })).toEqual([]);
    expect((await store().find(thread.project_id, thread.id))?.deleted_at_ms).toBe(startMs + 5);
  });

  test(`${kind.name}: of what a person thinks of an answer the last word counts, until it is taken back`, async () => {
    const thread = await begin();
    const word = (rating: "up" | "down", comment: string | null) => ({
      thread_id: thread.id,
      message_id: "q1",
      rating,
      comment,
      at_ms: startMs,
    });
    await store().setFeedback(word("up", "good"));
    await store().setFeedback(word("down", null));
    expect((await store().read(thread.id, 9)).feedback).toEqual([word("down", null)]);
    await store().removeFeedback(thread.id, "q1");
    expect((await store().read(thread.id, 9)).feedback).toEqual([]);
  });

  test(`${kind.name}: sources keep their numbers, and none of a batch is kept when one cannot be`, async () => {
    const thread = await begin();
    const source = (number: number) => ({
      thread_id: thread.id,
      number,
      url: `https://docs.example/${number}`,
      title: "Page",
      heading_path: "[]",
      snippet: "…",
    });
    await store().addSources([source(2), source(1)]);
    await expect(store().addSources([source(3), source(1)])).rejects.toThrow();
    await store().addSources([]);
    expect((await store().read(thread.id, 9)).sources).toEqual([source(1), source(2)]);
  });
}
