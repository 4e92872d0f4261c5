import type { Kysely, Transaction } from "kysely";
import type { CountedTurn, UsageStore, UsedSession } from "../sessions/usage-store.ts";
import type { Database } from "./database.ts";
import type { Schema } from "./schema.ts";

/** Ends a transaction without having done anything. */
class NothingLeft extends Error {
  override readonly name = "NothingLeft";
}

/** What sessions have used up, in SQL. A bound is part of the statement that counts: it cannot be overrun. */
export function createSqlUsageStore(database: Database): UsageStore {
  return {
    async takeTurn(turn) {
      try {
        return await database.transaction().execute(async (db) => {
          const usage = await countTurn(db, turn);
          if (!usage) return { kind: "session-over" };
          if (!(await countDay(db, turn))) throw new NothingLeft();
          return {
            kind: "taken",
            usage: { turns: usage.turns, modelTokens: usage.model_tokens },
          };
        });
      } catch (error) {
        if (error instanceof NothingLeft) return { kind: "day-over" };
        throw error;
      }
    },

    giveBackTurn: ({ sid, projectId, day }) =>
      database.transaction().execute(async (db) => {
        await db
          .updateTable("session_usage")
          .set((eb) => ({ turns: eb("turns", "-", 1) }))
          .where("project_id", "=", projectId)
          .where("sid", "=", sid)
          .where("turns", ">", 0)
          .execute();
        if (!day) return;
        await db
          .updateTable("usage_day")
          .set((eb) => ({ count: eb("count", "-", 1) }))
          .where("project_id", "=", projectId)
          .where("day", "=", day.day)
          .where("kind", "=", day.kind)
          .where("count", ">", 0)
          .execute();
      }),

    addModelTokens: (session, modelTokens) => addModelTokens(database, session, modelTokens),

    async read(projectId, sid) {
      const row = await database
        .selectFrom("session_usage")
        .select(["turns", "model_tokens"])
        .where("project_id", "=", projectId)
        .where("sid", "=", sid)
        .executeTakeFirst();
      return { turns: row?.turns ?? 0, modelTokens: row?.model_tokens ?? 0 };
    },

    async readDay(projectId, day, kind) {
      const row = await database
        .selectFrom("usage_day")
        .select("count")
        .where("project_id", "=", projectId)
        .where("day", "=", day)
        .where("kind", "=", kind)
        .executeTakeFirst();
      return row?.count ?? 0;
    },
  };
}

/** Adds to what a session has used up. */
export async function addModelTokens(
  db: Kysely<Schema>,
  { sid, projectId, untilS }: UsedSession,
  modelTokens: number,
): Promise<void> {
  await db
    .insertInto("session_usage")
    .values({ sid, project_id: projectId, turns: 0, model_tokens: modelTokens, until_s: untilS })
    .onConflict((conflict) =>
      conflict.column("sid").doUpdateSet((eb) => ({
        model_tokens: eb("session_usage.model_tokens", "+", modelTokens),
      })),
    )
    .execute();
}

/** One more turn of a session; undefined when it has none left. */
function countTurn(
  db: Transaction<Schema>,
  { sid, projectId, untilS, maxTurns = Number.MAX_SAFE_INTEGER }: CountedTurn,
) {
  return db
    .insertInto("session_usage")
    .values({ sid, project_id: projectId, turns: 1, model_tokens: 0, until_s: untilS })
    .onConflict((conflict) =>
      conflict
        .column("sid")
        .doUpdateSet((eb) => ({ turns: eb("session_usage.turns", "+", 1) }))
        .where("session_usage.turns", "<", maxTurns),
    )
    .returning(["turns", "model_tokens"])
    .executeTakeFirst();
}

/** Whether the day had room for one more, which is counted then. */
async function countDay(
  db: Transaction<Schema>,
  { projectId, day }: CountedTurn,
): Promise<boolean> {
  if (!day) return true;
  const counted = await db
    .insertInto("usage_day")
    .values({ project_id: projectId, day: day.day, kind: day.kind, count: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(["project_id", "day", "kind"])
        .doUpdateSet((eb) => ({ count: eb("usage_day.count", "+", 1) }))
        .where("usage_day.count", "<", day.max),
    )
    .returning("count")
    .executeTakeFirst();
  return counted !== undefined;
}
