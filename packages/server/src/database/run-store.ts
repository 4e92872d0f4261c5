import type { Transaction } from "kysely";
import { type CallOutcome, interruptedMidway, readAnswerParts } from "../agent/answer-part.ts";
import type { RunDraft, RunStore } from "../agent/run-store.ts";
import { isOpen } from "../agent/thread-store.ts";
import type { Database } from "./database.ts";
import type { RunRow, Schema } from "./schema.ts";
import { lockThread, writeAnswer } from "./thread-store.ts";
import { addModelTokens } from "./usage-store.ts";

/** The record of runs in SQL. */
export function createSqlRunStore(database: Database): RunStore {
  return {
    begin: async (run) => {
      await database.insertInto("run").values(run).execute();
    },

    keepDraft: async (id, { parts, calls, cited, usage, owedTokens }) => {
      await database
        .updateTable("run")
        .set({
          draft: JSON.stringify({ parts, calls, cited } satisfies Draft),
          input_tokens: usage.inputTokens,
          output_tokens: usage.outputTokens,
          owed_tokens: owedTokens,
        })
        .where("id", "=", id)
        .where("ended_at_ms", "is", null)
        .execute();
    },

    end: ({ id, atMs, ending, usage, answer, spent }) =>
      database.transaction().execute(async (db) => {
        if (answer) {
          await lockThread(db, answer.message.thread_id);
          await writeAnswer(db, answer);
        }
        if (spent && spent.modelTokens > 0) {
          await addModelTokens(db, spent.session, spent.modelTokens);
        }
        await markEnded(db, id, {
          ended_at_ms: atMs,
          ending,
          input_tokens: usage.inputTokens,
          output_tokens: usage.outputTokens,
        });
      }),

    endInterrupted: async (atMs) => {
      // First: what a call did is on its own row, which a draft may lie behind.
      await database
        .updateTable("tool_call")
        .set({
          state: "error",
          output: JSON.stringify({ errorText: interruptedMidway } satisfies CallOutcome),
          ended_at_ms: atMs,
        })
        .where("state", "=", "running")
        .execute();
      const open = await database
        .selectFrom("run")
        .select("id")
        .where("ended_at_ms", "is", null)
        .orderBy("started_at_ms")
        .execute();
      for (const { id } of open) {
        await database.transaction().execute((db) => interrupt(db, id, atMs));
      }
      return open.length;
    },

    find: (threadId, id) =>
      database
        .selectFrom("run")
        .selectAll()
        .where("id", "=", id)
        .where("thread_id", "=", threadId)
        .executeTakeFirst(),
  };
}

/** As it stands in the column `draft`. */
type Draft = Pick<RunDraft, "parts" | "calls" | "cited">;

const interrupted = "run_interrupted";

async function interrupt(db: Transaction<Schema>, id: string, atMs: number): Promise<void> {
  const run = await db.selectFrom("run").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  await lockThread(db, run.thread_id);
  await keepInterrupted(db, run, atMs);
  if (Number(run.owed_tokens) > 0) {
    const session = { sid: run.sid, projectId: run.project_id, untilS: Number(run.until_s) };
    await addModelTokens(db, session, Number(run.owed_tokens));
  }
  await markEnded(db, id, { ended_at_ms: atMs, ending: interrupted });
}

/** Writes the answer of a run as far as it is known, unless the conversation has gone on since. */
async function keepInterrupted(
  db: Transaction<Schema>,
  { thread_id, message_id, replaces, draft, started_at_ms }: RunRow,
  atMs: number,
): Promise<void> {
  const last = await db
    .selectFrom("message")
    .selectAll()
    .where("thread_id", "=", thread_id)
    .orderBy("position", "desc")
    .limit(1)
    .executeTakeFirst();
  const isNext = last?.role === "user" || last?.id === message_id || last?.id === replaces;
  if (!last || !isNext) return;
  const kept = draft === null ? undefined : (JSON.parse(draft) as Draft);
  const isBegun = last.id === message_id;
  // An answer only grows. What was put down before a call took effect may be newer than the draft.
  const isBehind = isBegun && readAnswerParts(last.parts).length > (kept?.parts.length ?? 0);
  const known = isBehind ? undefined : kept;
  await writeAnswer(db, {
    message: {
      id: message_id,
      thread_id,
      role: "assistant",
      parts: known ? JSON.stringify(known.parts) : isBegun ? last.parts : "[]",
      cited: known ? JSON.stringify(known.cited) : isBegun ? last.cited : null,
      error: interrupted,
      created_at_ms: Number(started_at_ms),
    },
    calls: (kept?.calls ?? []).map((call) =>
      isOpen(call) ? { ...call, state: "stopped", ended_at_ms: atMs } : call,
    ),
    ...(replaces !== null && { replaces }),
    atMs,
  });
}

async function markEnded(
  db: Transaction<Schema>,
  id: string,
  end: Partial<RunRow> & Pick<RunRow, "ended_at_ms" | "ending">,
): Promise<void> {
  await db
    .updateTable("run")
    .set({ ...end, owed_tokens: 0, draft: null })
    .where("id", "=", id)
    .execute();
}
