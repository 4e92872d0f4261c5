import type { Kysely } from "kysely";
import { run } from "./run.ts";

/** Whose data was erased, by reference: so that a restored backup does not bring it back. */
export function erasure(db: Kysely<unknown>): Promise<void> {
  return run(db, [
    `create table erasure (
      project_id text not null, owner_ref text not null, at_ms integer not null,
      primary key (project_id, owner_ref)
    ) without rowid`,
    "create index thread_deleted on thread (deleted_at_ms) where deleted_at_ms is not null",
  ]);
}
