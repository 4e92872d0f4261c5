import type { Kysely } from "kysely";
import { run } from "./run.ts";

/** What people think of answers. */
export function feedback(db: Kysely<unknown>): Promise<void> {
  return run(db, [
    `create table feedback (
      thread_id text not null, message_id text not null, rating text not null, comment text,
      at_ms integer not null, primary key (thread_id, message_id),
      foreign key (thread_id, message_id) references message (thread_id, id) on delete cascade
    ) without rowid`,
  ]);
}
