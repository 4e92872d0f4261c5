import type { ProjectStore } from "../projects/project-store.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";

/** Projects and integrations in SQL. */
export function createSqlProjectStore(database: Database): ProjectStore {
  return {
    list: () => database.selectFrom("project").selectAll().orderBy("created_at_ms").execute(),
    get: (id) => database.selectFrom("project").selectAll().where("id", "=", id).executeTakeFirst(),
    insert: (row, audit) =>
      database.transaction().execute(async (db) => {
        await db.insertInto("project").values(row).execute();
        await appendAudit(db, audit ? [audit] : []);
      }),
    integrations: (projectId) =>
      database
        .selectFrom("integration")
        .selectAll()
        .where("project_id", "=", projectId)
        .orderBy("created_at_ms")
        .execute(),
    integration: (projectId, id) =>
      database
        .selectFrom("integration")
        .selectAll()
        .where("project_id", "=", projectId)
        .where("id", "=", id)
        .executeTakeFirst(),
    insertIntegration: (row, audit) =>
      database.transaction().execute(async (db) => {
        await db.insertInto("integration").values(row).execute();
        await appendAudit(db, audit ? [audit] : []);
      }),
  };
}
