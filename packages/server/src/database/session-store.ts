import type { SessionStore } from "../sessions/session-store.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";
import { createGroupCommit } from "./group-commit.ts";
import { createSessionRows } from "./session-rows.ts";

/** Sessions in SQL. */
export function createSqlSessionStore(database: Database): SessionStore {
  const rows = createSessionRows(database);
  const commits = createGroupCommit(rows.insert);
  return {
    insert: commits.add,
    flush: commits.flush,
    byDigest: rows.byDigest,
    bySid: (projectId, sid) =>
      database
        .selectFrom("session")
        .selectAll()
        .where("sid", "=", sid)
        .where("project_id", "=", projectId)
        .executeTakeFirst(),
    list: ({ projectId, owner, kid, before, limit }) =>
      database
        .selectFrom("session")
        .selectAll()
        .where("project_id", "=", projectId)
        .$if(owner !== undefined, (query) => query.where("owner", "=", owner ?? null))
        .$if(kid !== undefined, (query) => query.where("kid", "=", kid ?? ""))
        .$if(before !== undefined, (query) =>
          query.where((where) =>
            where.or([
              where("issued_at_ms", "<", before?.issuedAtMs ?? 0),
              where.and([
                where("issued_at_ms", "=", before?.issuedAtMs ?? 0),
                where("sid", "<", before?.sid ?? ""),
              ]),
            ]),
          ),
        )
        .orderBy("issued_at_ms", "desc")
        .orderBy("sid", "desc")
        .limit(limit)
        .execute(),
    countLive: async (kid, nowMs) => {
      const { count } = await database
        .selectFrom("session")
        .select((select) => select.fn.countAll<number>().as("count"))
        .where("kid", "=", kid)
        .where("expires_at_s", ">", Math.floor(nowMs / 1000))
        .where("revoked_at_ms", "is", null)
        .executeTakeFirstOrThrow();
      return Number(count);
    },
    liveOfOwner: (projectId, owner, nowMs) =>
      database
        .selectFrom("session")
        .selectAll()
        .where("project_id", "=", projectId)
        .where("owner", "=", owner)
        .where("expires_at_s", ">", Math.floor(nowMs / 1000))
        .where("revoked_at_ms", "is", null)
        .execute(),
    liveOwners: ({ nowMs, after, limit }) =>
      database
        .selectFrom("session")
        .select(["digest", "project_id", "owner", "expires_at_s"])
        .$narrowType<{ owner: string }>()
        .where("owner", "is not", null)
        .where("expires_at_s", ">", Math.floor(nowMs / 1000))
        .where("revoked_at_ms", "is", null)
        .$if(after !== undefined, (query) => query.where("digest", ">", after ?? Buffer.alloc(0)))
        .orderBy("digest")
        .limit(limit)
        .execute(),
    revoke: ({ row, atMs, audit }) =>
      database.transaction().execute(async (db) => {
        const changed = await db
          .updateTable("session")
          .set({ revoked_at_ms: atMs })
          .where("sid", "=", row.sid)
          .where("project_id", "=", row.project_id)
          .where("revoked_at_ms", "is", null)
          .returning("sid")
          .executeTakeFirst();
        if (!changed) return;
        await db
          .insertInto("revocation")
          .values({
            at_ms: atMs,
            project_id: row.project_id,
            kind: "session",
            target: row.sid,
            issued_before_ms: null,
            until_s: row.expires_at_s,
            reason: null,
          })
          .execute();
        await appendAudit(db, [audit]);
      }),
    revokedSids: async (nowMs) => {
      const rows = await database
        .selectFrom("session")
        .select("sid")
        .where("revoked_at_ms", "is not", null)
        .where("expires_at_s", ">", Math.floor(nowMs / 1000))
        .execute();
      return rows.map(({ sid }) => sid);
    },
    latestIssuedMs: async (nowMs) => {
      const { latest } = await database
        .selectFrom("session")
        .select((select) => select.fn.max("issued_at_ms").as("latest"))
        .where("expires_at_s", ">", Math.floor(nowMs / 1000))
        .executeTakeFirstOrThrow();
      return Number(latest ?? 0);
    },
  };
}
