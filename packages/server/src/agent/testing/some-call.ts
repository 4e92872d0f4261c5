import type { ToolCallRow } from "../../database/schema.ts";

/** A call of the page that waits for its output, with what differs. */
export function someCall(more: Partial<ToolCallRow> = {}): ToolCallRow {
  return {
    id: "c1",
    thread_id: "thr_1",
    message_id: "a1",
    name: "look_up",
    input: "{}",
    state: "pending",
    output: null,
    created_at_ms: 1_800_000_000_000,
    ended_at_ms: null,
    side: "page",
    approval_id: null,
    is_editable: 0,
    edited_input: null,
    decided_at_ms: null,
    decided_by: null,
    started_at_ms: null,
    ...more,
  };
}
