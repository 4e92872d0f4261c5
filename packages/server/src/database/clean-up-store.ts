import type { DeleteResult } from "kysely";
import type { CleanUpStore } from "../clean-up/clean-up.ts";
import type { Database } from "./database.ts";
import { isPostgres } from "./dialect.ts";

const dayMs = 24 * 3_600_000;

/**
 * What is over in SQL, and is kept for a day beyond that: people may ask for it, and a clock that
 * was ahead may be put right. Each step finds its rows by an index, and
 * looks at no more of them than it may take.
 */
export function createSqlCleanUpStore(database: Database): CleanUpStore {
  const chores: Record<string, (nowMs: number, limit: number) => Promise<DeleteResult>> = {
    sessions: (nowMs, limit) =>
      database
        .deleteFrom("session")
        .where("sid", "in", (from) =>
          from
            .selectFrom("session")
            .select("sid")
            .where("expires_at_s", "<", toS(nowMs - dayMs))
            .limit(limit),
        )
        .executeTakeFirst(),

    "what sessions have used": (nowMs, limit) =>
      database
        .deleteFrom("session_usage")
        .where("sid", "in", (from) =>
          from
            .selectFrom("session_usage")
            .select("sid")
            .where("until_s", "<", toS(nowMs - dayMs))
            .limit(limit),
        )
        .executeTakeFirst(),

    // The log is read from its beginning: what was written first is over first, but for the odd
    // line that is kept for a longer session and holds up what is behind it for as long.
    revocations: (nowMs, limit) =>
      database
        .deleteFrom("revocation")
        .where("seq", "in", (from) =>
          from.selectFrom("revocation").select("seq").orderBy("seq").limit(limit),
        )
        .where("until_s", "<", toS(nowMs - dayMs))
        .executeTakeFirst(),

    changes: (nowMs, limit) =>
      database
        .deleteFrom("change")
        .where("seq", "in", (from) =>
          from.selectFrom("change").select("seq").orderBy("seq").limit(limit),
        )
        .where("at_ms", "<", nowMs - dayMs)
        .executeTakeFirst(),

    // There are never many.
    "set-up links": (nowMs, limit) =>
      database
        .deleteFrom("setup_link")
        .where("digest", "in", (from) =>
          from
            .selectFrom("setup_link")
            .select("digest")
            .where("expires_at_ms", "<", nowMs - dayMs)
            .limit(limit),
        )
        .executeTakeFirst(),
  };
  return {
    isBlocking: !isPostgres(database),
    chores: Object.entries(chores).map(([name, step]) => ({
      name,
      step: async (nowMs, limit) => Number((await step(nowMs, limit)).numDeletedRows),
    })),
  };
}

function toS(atMs: number): number {
  return Math.floor(atMs / 1000);
}
