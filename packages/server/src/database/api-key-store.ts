import type { ApiKeyStore } from "../api-keys/api-key-store.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";

/** API keys in SQL. */
export function createSqlApiKeyStore(database: Database): ApiKeyStore {
  return {
    all: () => database.selectFrom("api_key").selectAll().orderBy("created_at_ms").execute(),
    insert: (row, audit) =>
      database.transaction().execute(async (db) => {
        await db.insertInto("api_key").values(row).execute();
        await appendAudit(db, [audit]);
      }),
    revoke: ({ kid, atMs, untilS, audit }) =>
      database.transaction().execute(async (db) => {
        const row = await db
          .updateTable("api_key")
          // The copy goes with the key: nobody needs to see a key that opens nothing.
          .set({ revoked_at_ms: atMs, sealed_copy: null })
          .where("kid", "=", kid)
          .where("revoked_at_ms", "is", null)
          .returning("project_id")
          .executeTakeFirst();
        if (!row) return;
        await db
          .insertInto("revocation")
          .values({
            at_ms: atMs,
            project_id: row.project_id,
            kind: "key",
            target: kid,
            issued_before_ms: null,
            until_s: untilS,
            reason: null,
          })
          .execute();
        await appendAudit(db, [audit]);
      }),
    touch: async (kid, atMs) => {
      await database
        .updateTable("api_key")
        .set({ last_used_at_ms: atMs })
        .where("kid", "=", kid)
        .where((where) =>
          where.or([where("last_used_at_ms", "is", null), where("last_used_at_ms", "<", atMs)]),
        )
        .execute();
    },
  };
}
