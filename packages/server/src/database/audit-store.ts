import type { AuditStore } from "../audit/audit.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";

/** The audit in SQL. */
export function createSqlAuditStore(database: Database): AuditStore {
  return {
    insert: async (line) => {
      await database.transaction().execute((db) => appendAudit(db, [line]));
    },
  };
}
