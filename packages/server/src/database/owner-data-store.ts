import type { OwnerDataStore } from "../owner-export/export-owner.ts";
import type { Database } from "./database.ts";

/** What is kept about an owner, in SQL: each page begins behind the last row of the one before. */
export function createSqlOwnerDataStore(database: Database): OwnerDataStore {
  return {
    sessions: ({ projectId, owner }, after, limit) =>
      database
        .selectFrom("session")
        .leftJoin("session_usage", (join) =>
          join
            .onRef("session_usage.sid", "=", "session.sid")
            .onRef("session_usage.project_id", "=", "session.project_id"),
        )
        // By name: the digest of its token stays here.
        .select([
          "session.sid",
          "session.kid",
          "session.integration_id",
          "session.visitor_id",
          "session.visitor_ip",
          "session.issued_at_ms",
          "session.expires_at_s",
          "session.revoked_at_ms",
          "session.policy",
          "session.metadata",
          "session_usage.turns",
          "session_usage.model_tokens",
        ])
        .where("session.project_id", "=", projectId)
        .where("session.owner", "=", owner)
        .$if(after !== undefined, (query) => query.where("session.sid", ">", after?.sid ?? ""))
        .orderBy("session.sid")
        .limit(limit)
        .execute(),

    blocks: ({ projectId, owner }) =>
      database
        .selectFrom("block")
        .select(["at_ms", "reason"])
        .where("project_id", "=", projectId)
        .where("kind", "=", "owner")
        .where("target", "=", owner)
        .execute(),

    threads: ({ projectId, owner }, after, limit) =>
      database
        .selectFrom("thread")
        .select(["id", "integration_id", "title", "created_at_ms", "updated_at_ms"])
        .select("deleted_at_ms")
        .where("project_id", "=", projectId)
        .where("owner", "=", owner)
        .$if(after !== undefined, (query) => query.where("id", ">", after?.id ?? ""))
        .orderBy("id")
        .limit(limit)
        .execute(),

    messages: (threadId, after, limit) =>
      database
        .selectFrom("message")
        .selectAll()
        .where("thread_id", "=", threadId)
        .$if(after !== undefined, (query) => query.where("position", ">", after?.position ?? 0))
        .orderBy("position")
        .limit(limit)
        .execute(),

    calls: (threadId, after, limit) =>
      database
        .selectFrom("tool_call")
        .selectAll()
        .where("thread_id", "=", threadId)
        .$if(after !== undefined, (query) => query.where("id", ">", after?.id ?? ""))
        .orderBy("id")
        .limit(limit)
        .execute(),

    sources: (threadId, after, limit) =>
      database
        .selectFrom("thread_source")
        .selectAll()
        .where("thread_id", "=", threadId)
        .$if(after !== undefined, (query) => query.where("number", ">", after?.number ?? 0))
        .orderBy("number")
        .limit(limit)
        .execute(),

    feedback: (threadId, after, limit) =>
      database
        .selectFrom("feedback")
        .selectAll()
        .where("thread_id", "=", threadId)
        .$if(after !== undefined, (query) =>
          query.where("message_id", ">", after?.message_id ?? ""),
        )
        .orderBy("message_id")
        .limit(limit)
        .execute(),

    runs: (threadId, after, limit) =>
      database
        .selectFrom("run")
        .selectAll()
        .where("thread_id", "=", threadId)
        .$if(after !== undefined, (query) => query.where("id", ">", after?.id ?? ""))
        .orderBy("id")
        .limit(limit)
        .execute(),
  };
}
