import type { RevocationKind, RevocationStore, RevocationTarget } from "../sessions/revocations.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";
import { locking } from "./dialect.ts";

const kinds: readonly RevocationKind[] = ["owner", "visitor", "key", "project"];

/** Revocations and blocks in SQL. */
export function createSqlRevocationStore(database: Database): RevocationStore {
  return {
    marks: async (nowMs) => {
      const rows = await database
        .selectFrom("revocation")
        .select(["project_id", "kind", "target", "issued_before_ms", "at_ms"])
        .where("kind", "in", kinds)
        .where("issued_before_ms", "is not", null)
        .where("until_s", ">=", Math.floor(nowMs / 1000))
        .execute();
      return rows.map((row) => ({
        projectId: row.project_id,
        kind: row.kind as RevocationKind,
        target: row.target,
        issuedBeforeMs: row.issued_before_ms ?? 0,
        atMs: row.at_ms,
      }));
    },

    blocks: async () => {
      const rows = await database
        .selectFrom("block")
        .select(["project_id", "kind", "target"])
        .execute();
      return rows.map(({ project_id, kind, target }) => ({ projectId: project_id, kind, target }));
    },

    apply: ({ atMs, marks, block, unblock, reason, audit }) =>
      database.transaction().execute(async (db) => {
        await lockProjects(db, [...marks, ...block, ...unblock]);
        for (const { projectId, kind, target, issuedBeforeMs, untilS } of marks) {
          await db
            .insertInto("revocation")
            .values({
              at_ms: atMs,
              project_id: projectId,
              kind,
              target,
              issued_before_ms: issuedBeforeMs,
              until_s: untilS,
              reason,
            })
            .execute();
        }
        for (const { projectId, kind, target } of block) {
          await db
            .insertInto("block")
            .values({ project_id: projectId, kind, target, at_ms: atMs, reason })
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        }
        for (const { projectId, kind, target } of unblock) {
          await db
            .deleteFrom("block")
            .where("project_id", "=", projectId)
            .where("kind", "=", kind)
            .where("target", "=", target)
            .execute();
        }
        await appendAudit(db, audit);
      }),
  };
}

/**
 * Lets one change of a project at a time be written. On PostgreSQL others would see half of it,
 * or wait in a circle for people that are named in another order.
 */
async function lockProjects(db: Database, targets: readonly RevocationTarget[]): Promise<void> {
  const ids = [...new Set(targets.map(({ projectId }) => projectId))].sort();
  for (const id of ids) {
    await locking(db, db.selectFrom("project").select("id").where("id", "=", id)).execute();
  }
}
