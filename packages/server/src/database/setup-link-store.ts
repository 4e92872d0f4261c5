import type { SetupLinkStore } from "../people/setup-links.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";

/** Set-up links in SQL. */
export function createSqlSetupLinkStore(database: Database): SetupLinkStore {
  return {
    insert: ({ digest, createdAtMs, expiresAtMs, teamId, audit }) =>
      database.transaction().execute(async (db) => {
        await db
          .insertInto("setup_link")
          .values({
            digest,
            created_at_ms: createdAtMs,
            expires_at_ms: expiresAtMs,
            used_at_ms: null,
            team_id: teamId ?? null,
          })
          .execute();
        await appendAudit(db, audit ? [audit] : []);
      }),
    teamOf: async (digest) => {
      const row = await database
        .selectFrom("setup_link")
        .select("team_id")
        .where("digest", "=", digest)
        .executeTakeFirst();
      return row?.team_id ?? null;
    },
    use: async (digest, nowMs) => {
      const used = await database
        .updateTable("setup_link")
        .set({ used_at_ms: nowMs })
        .where("digest", "=", digest)
        .where("used_at_ms", "is", null)
        .where("expires_at_ms", ">", nowMs)
        .returning("digest")
        .executeTakeFirst();
      return used !== undefined;
    },
    release: async (digest) => {
      await database
        .updateTable("setup_link")
        .set({ used_at_ms: null })
        .where("digest", "=", digest)
        .execute();
    },
  };
}
