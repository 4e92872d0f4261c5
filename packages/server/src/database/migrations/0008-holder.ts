import type { Kysely } from "kysely";
import { run } from "./run.ts";

/** Who has the database: a server that finds another's name knows that it was not the last one. */
export function holder(db: Kysely<unknown>): Promise<void> {
  return run(db, ["create table holder (name text primary key)"]);
}
