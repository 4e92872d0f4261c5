import type { Kysely } from "kysely";
import { run } from "./run.ts";

/** Who runs a call, what a person decided about it, and since when it runs. */
export function approvals(db: Kysely<unknown>): Promise<void> {
  return run(db, [
    "alter table tool_call add column side text not null default 'page'",
    "alter table tool_call add column approval_id text",
    "alter table tool_call add column is_editable integer not null default 0",
    "alter table tool_call add column edited_input text",
    "alter table tool_call add column decided_at_ms integer",
    "alter table tool_call add column decided_by text",
    "alter table tool_call add column started_at_ms integer",
    // Until now the server had this tool alone.
    "update tool_call set side = 'server' where name = 'search_knowledge_base'",
    "create unique index tool_call_approval on tool_call (approval_id)",
    "create index tool_call_running on tool_call (thread_id) where state = 'running'",
  ]);
}
