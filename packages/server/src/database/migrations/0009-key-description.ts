import type { Kysely } from "kysely";
import { run } from "./run.ts";

/** Where a key is used, in its maker's words. */
export function keyDescription(db: Kysely<unknown>): Promise<void> {
  return run(db, ["alter table api_key add column description text"]);
}
