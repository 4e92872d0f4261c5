import type { Kysely } from "kysely";
import { run } from "./run.ts";

/** Runs, from when they begin: what a crash cut off is found again, and what each has used. */
export function runs(db: Kysely<unknown>): Promise<void> {
  return run(db, [
    `create table run (
      id text primary key, project_id text not null, thread_id text not null,
      message_id text not null, replaces text, sid text not null, owner text,
      until_s integer not null, started_at_ms integer not null, ended_at_ms integer, ending text,
      input_tokens integer not null default 0, output_tokens integer not null default 0,
      owed_tokens integer not null default 0, draft text
    )`,
    "create index run_thread on run (thread_id)",
    "create index run_session on run (project_id, sid)",
    "create index run_going_on on run (started_at_ms) where ended_at_ms is null",
  ]);
}
