import { sql } from "kysely";
import type { ErasureStore } from "../erasure/erase-owner.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";
import { isPostgres } from "./dialect.ts";

/** What an erasure needs beside the removal of rows, in SQL. */
export function createSqlErasureStore(database: Database): ErasureStore {
  return {
    finish: ({ projectId, owner, reference, atMs, audit }) =>
      database.transaction().execute(async (db) => {
        // The sessions that they ended are gone.
        await db
          .deleteFrom("revocation")
          .where("project_id", "=", projectId)
          .where("kind", "=", "owner")
          .where("target", "=", owner)
          .execute();
        await db
          .insertInto("erasure")
          .values({ project_id: projectId, owner_ref: reference, at_ms: atMs })
          .onConflict((conflict) =>
            conflict.columns(["project_id", "owner_ref"]).doUpdateSet({ at_ms: atMs }),
          )
          .execute();
        await appendAudit(db, [audit]);
      }),
    async clearLog() {
      if (isPostgres(database)) return true;
      const { rows } = await sql<{ busy: number }>`pragma wal_checkpoint(truncate)`.execute(
        database,
      );
      return rows[0]?.busy === 0;
    },
  };
}
