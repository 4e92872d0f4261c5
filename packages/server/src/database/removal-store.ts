import { type Kysely, sql } from "kysely";
import type { Database } from "./database.ts";
import type { Schema } from "./schema.ts";

/** Rows that a step has deleted, by what they were. */
export interface Removed {
  readonly threads: number;
  readonly messages: number;
  readonly calls: number;
  readonly sources: number;
  readonly feedback: number;
  readonly runs: number;
}

/** What removes conversations and sessions in small steps, each a transaction of its own. */
export interface RemovalStore {
  /** Threads of an owner, deleted ones too. */
  threadsOf(projectId: string, owner: string, limit: number): Promise<string[]>;
  /** Threads that were deleted at that instant or before it. */
  threadsDeletedBefore(beforeMs: number, limit: number): Promise<string[]>;
  /** Deletes threads that nobody has touched since then, as a person does; says how many. */
  expireThreads(projectId: string, beforeMs: number, limit: number): Promise<number>;
  /** Removes at most so many rows of threads, the threads last. Nothing left means all are gone. */
  removeThreads(ids: readonly string[], limit: number): Promise<Removed>;
  /** Removes sessions of an owner and what they have used up; says how many sessions. */
  removeSessionsOf(projectId: string, owner: string, limit: number): Promise<number>;
  /** Removes what a project used up on days before one. */
  removeUsageDays(projectId: string, day: string, limit: number): Promise<number>;
}

/** A thread deleted by retention: long enough ago for every grace. */
const longAgoMs = 0;

const parts = [
  ["feedback", "feedback", ["thread_id", "message_id"]],
  ["calls", "tool_call", ["thread_id", "id"]],
  ["sources", "thread_source", ["thread_id", "number"]],
  ["messages", "message", ["thread_id", "id"]],
  ["runs", "run", ["id"]],
  ["threads", "thread", ["id"]],
] as const;

/** Removal in SQL. */
export function createSqlRemovalStore(database: Database): RemovalStore {
  const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
  return {
    threadsOf: async (projectId, owner, limit) =>
      idsOf(
        await database
          .selectFrom("thread")
          .select("id")
          .where("project_id", "=", projectId)
          .where("owner", "=", owner)
          .limit(limit)
          .execute(),
      ),

    threadsDeletedBefore: async (beforeMs, limit) =>
      idsOf(
        await database
          .selectFrom("thread")
          .select("id")
          .where("deleted_at_ms", "is not", null)
          .where("deleted_at_ms", "<=", beforeMs)
          .limit(limit)
          .execute(),
      ),

    expireThreads: async (projectId, beforeMs, limit) => {
      const { numUpdatedRows } = await database
        .updateTable("thread")
        .set({ deleted_at_ms: longAgoMs })
        .where("id", "in", (old) =>
          old
            .selectFrom("thread")
            .select("id")
            .where("updated_at_ms", "<", beforeMs)
            .where("project_id", "=", projectId)
            .where("deleted_at_ms", "is", null)
            .limit(limit),
        )
        // Asked again: it may have been written to since the inner question.
        .where("updated_at_ms", "<", beforeMs)
        .executeTakeFirst();
      return Number(numUpdatedRows);
    },

    removeThreads: (ids, limit) =>
      database.transaction().execute(async (db) => {
        const removed = { threads: 0, messages: 0, calls: 0, sources: 0, feedback: 0, runs: 0 };
        let left = ids.length === 0 ? 0 : limit;
        for (const [name, table, key] of parts) {
          if (left === 0) break;
          const column = table === "thread" ? "id" : "thread_id";
          removed[name] = await removeSome(db, { table, key, column, ids, limit: left });
          left -= removed[name];
        }
        return removed;
      }),

    removeSessionsOf: (projectId, owner, limit) =>
      database.transaction().execute(async (db) => {
        const found = await db
          .selectFrom("session")
          .select("sid")
          .where("project_id", "=", projectId)
          .where("owner", "=", owner)
          .limit(limit)
          .execute();
        const sids = found.map(({ sid }) => sid);
        if (sids.length === 0) return 0;
        await db
          .deleteFrom("session_usage")
          .where("project_id", "=", projectId)
          .where("sid", "in", sids)
          .execute();
        await db
          .deleteFrom("session")
          .where("project_id", "=", projectId)
          .where("sid", "in", sids)
          .execute();
        return sids.length;
      }),

    removeUsageDays: async (projectId, day, limit) => {
      const { numAffectedRows = 0n } = await sql`
        delete from usage_day where (project_id, day, kind) in (
          select project_id, day, kind from usage_day
          where project_id = ${projectId} and day < ${day} limit ${limit}
        )`.execute(database);
      return Number(numAffectedRows);
    },
  };
}

async function removeSome(
  db: Kysely<Schema>,
  {
    table,
    key,
    column,
    ids,
    limit,
  }: {
    table: string;
    key: readonly string[];
    column: string;
    ids: readonly string[];
    limit: number;
  },
): Promise<number> {
  const names = sql.join(key.map((name) => sql.ref(name)));
  const { numAffectedRows = 0n } = await sql`
    delete from ${sql.table(table)} where (${names}) in (
      select ${names} from ${sql.table(table)}
      where ${sql.ref(column)} in (${sql.join(ids)}) limit ${limit}
    )`.execute(db);
  return Number(numAffectedRows);
}
