import type {
  BlockKind,
  RevocationKind,
  RevocationStore,
  RevocationTarget,
} from "../sessions/revocations.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";

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
        for (const { projectId, kind, target } of inOrder(block)) {
          await db
            .insertInto("block")
            .values({ project_id: projectId, kind, target, at_ms: atMs, reason })
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        }
        for (const { projectId, kind, target } of inOrder(unblock)) {
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
 * In the same order whoever writes: two transactions that take the same rows in different orders
 * would wait for each other, and PostgreSQL would end one of them.
 */
function inOrder(targets: readonly RevocationTarget<BlockKind>[]): RevocationTarget<BlockKind>[] {
  const nameOf = ({ kind, target }: RevocationTarget) => `${kind} ${target}`;
  return [...targets].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
