import type { Kysely } from "kysely";
import type { NewAudit, Schema } from "./schema.ts";

/** Writes lines of the audit, inside the transaction of what they tell of. */
export async function appendAudit(db: Kysely<Schema>, lines: readonly NewAudit[]): Promise<void> {
  for (const line of lines) await db.insertInto("audit").values(line).execute();
}
