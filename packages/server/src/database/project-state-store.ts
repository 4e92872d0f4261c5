import type { Transaction } from "kysely";
import type { ProjectStateStore, SaveOptions } from "../projects/project-states.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";
import type { Schema } from "./schema.ts";

/** Settings and switches of projects in SQL. */
export function createSqlProjectStateStore(database: Database): ProjectStateStore {
  return {
    projects: () =>
      database.selectFrom("project").select(["id", "settings", "disabled_at_ms"]).execute(),

    integrationsOff: async () => {
      const rows = await database
        .selectFrom("integration")
        .select("id")
        .where("disabled_at_ms", "is not", null)
        .execute();
      return rows.map(({ id }) => id);
    },

    saveSettings: ({ projectId, settings, audit }) =>
      database.transaction().execute(async (db) => {
        const changed = await db
          .updateTable("project")
          .set({ settings })
          .where("id", "=", projectId)
          .returning("id")
          .executeTakeFirst();
        if (changed) await tell(db, { projectId, audit });
        return changed !== undefined;
      }),

    saveSwitch: ({ projectId, integrationId, isOn, audit }) =>
      database.transaction().execute(async (db) => {
        const disabledAtMs = isOn ? null : audit.at_ms;
        const changed =
          integrationId === undefined
            ? await db
                .updateTable("project")
                .set({ disabled_at_ms: disabledAtMs })
                .where("id", "=", projectId)
                .returning("id")
                .executeTakeFirst()
            : await db
                .updateTable("integration")
                .set({ disabled_at_ms: disabledAtMs })
                .where("project_id", "=", projectId)
                .where("id", "=", integrationId)
                .returning("id")
                .executeTakeFirst();
        if (changed) await tell(db, { projectId, audit });
        return changed !== undefined;
      }),
  };
}

/** What other servers, and those who look back, will want to know. */
async function tell(db: Transaction<Schema>, { projectId, audit }: SaveOptions): Promise<void> {
  await db
    .insertInto("change")
    .values({ at_ms: audit.at_ms, project_id: projectId, kind: "project", target: projectId })
    .execute();
  await appendAudit(db, [audit]);
}
