import type { Kysely } from "kysely";
import { run } from "./run.ts";

/** Owners and visitors who may have no session. */
export function blocks(db: Kysely<unknown>): Promise<void> {
  return run(db, [
    `create table block (
      project_id text not null, kind text not null, target text not null,
      at_ms integer not null, reason text, primary key (project_id, kind, target)
    ) without rowid`,
  ]);
}
