import type { Transaction } from "kysely";
import { stoppedMidway } from "../agent/answer-part.ts";
import {
  type AnswerToSave,
  type NewMessage,
  openStates,
  type ThreadStore,
} from "../agent/thread-store.ts";
import type { Database } from "./database.ts";
import { locking } from "./dialect.ts";
import type { Schema, ThreadRow } from "./schema.ts";

/** Conversations in SQL. */
export function createSqlThreadStore(database: Database): ThreadStore {
  return {
    find: (projectId, id) =>
      database
        .selectFrom("thread")
        .selectAll()
        .where("project_id", "=", projectId)
        .where("id", "=", id)
        .executeTakeFirst(),

    list: ({ projectId, owner, before, limit }) =>
      database
        .selectFrom("thread")
        .selectAll()
        .select((eb) =>
          eb
            .selectFrom("message")
            .select((count) => count.fn.countAll<number>().as("n"))
            .whereRef("message.thread_id", "=", "thread.id")
            .$asScalar()
            .$notNull()
            .as("message_count"),
        )
        .where("project_id", "=", projectId)
        .where("owner", "=", owner)
        .where("only_sid", "is", null)
        .where("deleted_at_ms", "is", null)
        .$if(before !== undefined, (query) =>
          query.where((eb) =>
            eb.or([
              eb("updated_at_ms", "<", before?.updatedAtMs ?? 0),
              eb.and([
                eb("updated_at_ms", "=", before?.updatedAtMs ?? 0),
                eb("id", "<", before?.id ?? ""),
              ]),
            ]),
          ),
        )
        .orderBy("updated_at_ms", "desc")
        .orderBy("id", "desc")
        .limit(limit)
        .execute(),

    countMessages: async (threadId) => {
      const row = await database
        .selectFrom("message")
        .select((eb) => eb.fn.countAll<number>().as("n"))
        .where("thread_id", "=", threadId)
        .executeTakeFirstOrThrow();
      return Number(row.n);
    },

    remove: async (projectId, id, atMs) => {
      await database
        .updateTable("thread")
        .set({ deleted_at_ms: atMs })
        .where("project_id", "=", projectId)
        .where("id", "=", id)
        .execute();
    },

    read: async (threadId, lastMessages) => {
      const newestFirst = await database
        .selectFrom("message")
        .selectAll()
        .where("thread_id", "=", threadId)
        .orderBy("position", "desc")
        .limit(lastMessages)
        .execute();
      const messages = newestFirst.reverse();
      const ids = messages.map(({ id }) => id);
      const calls = await database
        .selectFrom("tool_call")
        .selectAll()
        .where("thread_id", "=", threadId)
        .where("message_id", "in", ids)
        .execute();
      const sources = await database
        .selectFrom("thread_source")
        .selectAll()
        .where("thread_id", "=", threadId)
        .orderBy("number")
        .execute();
      const feedback = await database
        .selectFrom("feedback")
        .selectAll()
        .where("thread_id", "=", threadId)
        .execute();
      return { messages, calls, sources, feedback };
    },

    callIds: (threadId) =>
      database
        .selectFrom("tool_call")
        .select(["id", "approval_id"])
        .where("thread_id", "=", threadId)
        .execute(),

    findMessage: (threadId, id) =>
      database
        .selectFrom("message")
        .selectAll()
        .where("thread_id", "=", threadId)
        .where("id", "=", id)
        .executeTakeFirst(),

    setFeedback: async (feedback) => {
      const { rating, comment, at_ms } = feedback;
      await database
        .insertInto("feedback")
        .values(feedback)
        .onConflict((conflict) =>
          conflict.columns(["thread_id", "message_id"]).doUpdateSet({ rating, comment, at_ms }),
        )
        .execute();
    },

    removeFeedback: async (threadId, messageId) => {
      await database
        .deleteFrom("feedback")
        .where("thread_id", "=", threadId)
        .where("message_id", "=", messageId)
        .execute();
    },

    addQuestion: ({ thread, isNew, message, replaces, run }) =>
      database.transaction().execute(async (db) => {
        if (isNew) {
          // Another question may have made it since it was looked for.
          const once = db.insertInto("thread").values(thread);
          await once.onConflict((conflict) => conflict.column("id").doNothing()).execute();
        }
        await lockThread(db, thread.id);
        if (!isNew) await touch(db, thread.id, message.created_at_ms);
        if (replaces !== undefined) {
          await eraseFrom(db, thread, { messageId: replaces, atMs: message.created_at_ms });
        }
        await stopOpen(db, thread.id, message.created_at_ms);
        await append(db, message);
        if (run) await db.insertInto("run").values(run).execute();
      }),

    changeCalls: (threadId, changes) =>
      database
        .transaction()
        .execute(async (db) => {
          await lockThread(db, threadId);
          for (const { id, from, to } of changes) {
            const row = await db
              .updateTable("tool_call")
              .set(to)
              .where("thread_id", "=", threadId)
              .where("id", "=", id)
              .where("state", "=", from)
              .returning("id")
              .executeTakeFirst();
            if (!row) throw new NotInState();
          }
          return true;
        })
        .catch((error: unknown) => {
          if (error instanceof NotInState) return false;
          throw error;
        }),

    stopCalls: (threadId, atMs) =>
      database.transaction().execute(async (db) => {
        await lockThread(db, threadId);
        return stopOpen(db, threadId, atMs);
      }),

    saveAnswer: (answer) =>
      database.transaction().execute(async (db) => {
        await lockThread(db, answer.message.thread_id);
        await writeAnswer(db, answer);
      }),

    addSources: async (sources) => {
      if (sources.length === 0) return;
      await database
        .insertInto("thread_source")
        .values([...sources])
        .execute();
    },
  };
}

/** Undoes a transaction in which a call was not in the state that it was to leave. */
class NotInState extends Error {}

/** Stops what is open in a thread, or in some messages of it. */
async function stopOpen(
  db: Transaction<Schema>,
  threadId: string,
  atMs: number,
  messageIds?: readonly string[],
): Promise<number> {
  const stopped = await db
    .updateTable("tool_call")
    .set((eb) => ({
      state: "stopped",
      ended_at_ms: atMs,
      output: eb
        .case()
        .when("state", "=", "running")
        .then(JSON.stringify({ errorText: stoppedMidway }))
        .else(eb.ref("output"))
        .end(),
    }))
    .where("thread_id", "=", threadId)
    .where("state", "in", openStates)
    .$if(messageIds !== undefined, (query) => query.where("message_id", "in", messageIds ?? []))
    .returning("id")
    .execute();
  return stopped.length;
}

/**
 * Lets one transaction at a time write into a thread. PostgreSQL would let two of them take the
 * same place, or wait for each other's calls in a circle; SQLite has one writer anyway.
 */
export async function lockThread(db: Transaction<Schema>, threadId: string): Promise<void> {
  await locking(db, db.selectFrom("thread").select("id").where("id", "=", threadId)).execute();
}

/** Writes an answer, as {@link ThreadStore.saveAnswer}, into a thread that is locked. */
export async function writeAnswer(
  db: Transaction<Schema>,
  { message, calls, replaces, atMs }: AnswerToSave,
): Promise<void> {
  if (replaces !== undefined) {
    await dropCalls(db, message.thread_id, { messageIds: [replaces], atMs });
    await db
      .deleteFrom("message")
      .where("thread_id", "=", message.thread_id)
      .where("id", "=", replaces)
      .execute();
  }
  const { parts, cited, error } = message;
  const earlier = await db
    .updateTable("message")
    .set({ parts, cited, error })
    .where("thread_id", "=", message.thread_id)
    .where("id", "=", message.id)
    .returning("id")
    .executeTakeFirst();
  if (!earlier) await append(db, message);
  for (const call of calls) {
    const { state, output, started_at_ms, ended_at_ms } = call;
    await db
      .insertInto("tool_call")
      .values(call)
      .onConflict((conflict) =>
        conflict
          .columns(["thread_id", "id"])
          .doUpdateSet({ state, output, started_at_ms, ended_at_ms })
          // What has ended is known better than by an answer that was kept before it did.
          .where("tool_call.state", "in", openStates),
      )
      .execute();
  }
  await touch(db, message.thread_id, atMs);
}

async function append(db: Transaction<Schema>, message: NewMessage): Promise<void> {
  const last = await db
    .selectFrom("message")
    .select((eb) => eb.fn.max("position").as("position"))
    .where("thread_id", "=", message.thread_id)
    .executeTakeFirst();
  const position = Number(last?.position ?? -1) + 1;
  await db
    .insertInto("message")
    .values({ ...message, position })
    .execute();
}

/** Takes out the calls of messages that go; what people decided and tools did stays on record. */
async function dropCalls(
  db: Transaction<Schema>,
  threadId: string,
  { messageIds, atMs }: { readonly messageIds: readonly string[]; readonly atMs: number },
): Promise<void> {
  await db
    .deleteFrom("tool_call")
    .where("thread_id", "=", threadId)
    .where("message_id", "in", messageIds)
    .where("decided_at_ms", "is", null)
    .where("started_at_ms", "is", null)
    .execute();
  await stopOpen(db, threadId, atMs, messageIds);
}

/** Takes a message and all behind it out of a thread, and names the thread anew if none is left. */
async function eraseFrom(
  db: Transaction<Schema>,
  { id: threadId, title }: Pick<ThreadRow, "id" | "title">,
  { messageId, atMs }: { readonly messageId: string; readonly atMs: number },
): Promise<void> {
  const first = await db
    .selectFrom("message")
    .select("position")
    .where("thread_id", "=", threadId)
    .where("id", "=", messageId)
    .executeTakeFirst();
  if (!first) return;
  const gone = await db
    .selectFrom("message")
    .select("id")
    .where("thread_id", "=", threadId)
    .where("position", ">=", first.position)
    .execute();
  await dropCalls(db, threadId, { messageIds: gone.map(({ id }) => id), atMs });
  // What people think of an answer goes with it.
  await db
    .deleteFrom("message")
    .where("thread_id", "=", threadId)
    .where("position", ">=", first.position)
    .execute();
  if (Number(first.position) > 0) return;
  await db.updateTable("thread").set({ title }).where("id", "=", threadId).execute();
}

async function touch(db: Transaction<Schema>, threadId: string, atMs: number): Promise<void> {
  await db
    .updateTable("thread")
    .set({ updated_at_ms: atMs })
    .where("id", "=", threadId)
    // The clock may have been set back; a thread does not fall behind in its list for that.
    .where("updated_at_ms", "<", atMs)
    .execute();
}
