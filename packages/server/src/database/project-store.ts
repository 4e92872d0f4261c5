import type { ProjectStore } from "../projects/project-store.ts";
import type { Database } from "./database.ts";

/** Projects and integrations in SQL. */
export function createSqlProjectStore(database: Database): ProjectStore {
  return {
    list: () => database.selectFrom("project").selectAll().orderBy("created_at_ms").execute(),
    get: (id) => database.selectFrom("project").selectAll().where("id", "=", id).executeTakeFirst(),
    insert: async (row) => {
      await database.insertInto("project").values(row).execute();
    },
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
    insertIntegration: async (row) => {
      await database.insertInto("integration").values(row).execute();
    },
  };
}
