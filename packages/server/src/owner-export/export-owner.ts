import { setImmediate as otherWork } from "node:timers/promises";
import type {
  FeedbackRow,
  MessageRow,
  RunRow,
  ThreadSourceRow,
  ToolCallRow,
} from "../database/schema.ts";
import { formatInstant } from "../sessions/sessions.ts";

/** Whose data it is. */
export interface OwnerOf {
  readonly projectId: string;
  /** The `external_owner_id` that sessions were made with. */
  readonly owner: string;
}

/** A session with what it has used up, and without anything of its token. */
export interface OwnedSession {
  readonly sid: string;
  readonly kid: string;
  readonly integration_id: string | null;
  readonly visitor_id: string | null;
  readonly visitor_ip: string | null;
  readonly issued_at_ms: number;
  readonly expires_at_s: number;
  readonly revoked_at_ms: number | null;
  /** JSON. */
  readonly policy: string;
  /** JSON. */
  readonly metadata: string | null;
  readonly turns: number | null;
  readonly model_tokens: number | null;
}

/** A conversation, deleted ones too as long as they are kept. */
export interface OwnedThread {
  readonly id: string;
  readonly integration_id: string | null;
  readonly title: string;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
  readonly deleted_at_ms: number | null;
}

/** A page of rows behind one, in the order of their key; an empty page is the end. */
type Page<Of, Row> = (of: Of, after: Row | undefined, limit: number) => Promise<readonly Row[]>;

/** Where what is kept about an owner is read, page by page. */
export interface OwnerDataStore {
  readonly sessions: Page<OwnerOf, OwnedSession>;
  blocks(of: OwnerOf): Promise<readonly { at_ms: number; reason: string | null }[]>;
  readonly threads: Page<OwnerOf, OwnedThread>;
  readonly messages: Page<string, MessageRow>;
  readonly calls: Page<string, ToolCallRow>;
  readonly sources: Page<string, ThreadSourceRow>;
  readonly feedback: Page<string, FeedbackRow>;
  readonly runs: Page<string, RunRow>;
}

/** A line of an export: a row, and `type` for what it is. */
export type OwnerExportLine = Readonly<Record<string, unknown>> & { readonly type: string };

/** What {@link exportOwner} can be told. */
export interface ExportOwnerOptions extends OwnerOf {
  readonly store: OwnerDataStore;
  readonly now?: () => number;
  /** Rows read at once. @default 100 */
  readonly pageSize?: number;
}

/**
 * Everything that is kept about an owner: a line that says what this is, then sessions, a block,
 * and conversations, each followed by what belongs to it, and at last a line that counts them, by
 * which a whole export is told from one that was cut off. Memory does not grow with the owner's
 * data; what is written meanwhile may be in it or not.
 */
export async function* exportOwner({
  store,
  projectId,
  owner,
  now = Date.now,
  pageSize = 100,
}: ExportOwnerOptions): AsyncGenerator<OwnerExportLine> {
  const of = { projectId, owner };
  const counts: Record<string, number> = {};
  const counted = (line: OwnerExportLine): OwnerExportLine => {
    counts[line.type] = (counts[line.type] ?? 0) + 1;
    return line;
  };
  const at = formatInstant(now());
  yield { type: "export", valet_owner_export: 1, project_id: projectId, owner, exported_at: at };
  for await (const row of rows(store.sessions, of, pageSize)) yield counted(sessionLine(row));
  for (const { at_ms, reason } of await store.blocks(of)) {
    yield counted({ type: "block", blocked_at: formatInstant(at_ms), reason });
  }
  for await (const thread of rows(store.threads, of, pageSize)) {
    yield counted(threadLine(thread));
    const { id } = thread;
    for await (const row of rows(store.messages, id, pageSize)) yield counted(messageLine(row));
    for await (const row of rows(store.calls, id, pageSize)) yield counted(callLine(row));
    for await (const row of rows(store.sources, id, pageSize)) {
      yield counted({ type: "source", ...row });
    }
    for await (const { at_ms, ...row } of rows(store.feedback, id, pageSize)) {
      yield counted({ type: "feedback", ...row, given_at: formatInstant(at_ms) });
    }
    for await (const row of rows(store.runs, id, pageSize)) yield counted(runLine(row));
  }
  yield { type: "end", counts };
}

async function* rows<Of, Row>(page: Page<Of, Row>, of: Of, limit: number): AsyncGenerator<Row> {
  let last: Row | undefined;
  for (;;) {
    const found = await page(of, last, limit);
    yield* found;
    last = found.at(-1);
    if (found.length < limit) return;
    // SQLite answers at once: without this, much data would keep requests waiting.
    await otherWork();
  }
}

function sessionLine(row: OwnedSession): OwnerExportLine {
  return {
    type: "session",
    session_id: row.sid,
    key_id: row.kid,
    integration_id: row.integration_id,
    visitor_id: row.visitor_id,
    visitor_ip: row.visitor_ip,
    created_at: formatInstant(row.issued_at_ms),
    expires_at: formatInstant(row.expires_at_s * 1000),
    revoked_at: instantOrNull(row.revoked_at_ms),
    policy: JSON.parse(row.policy),
    metadata: jsonOrNull(row.metadata),
    used: { turns: row.turns ?? 0, model_tokens: row.model_tokens ?? 0 },
  };
}

function threadLine(row: OwnedThread): OwnerExportLine {
  return {
    type: "thread",
    id: row.id,
    integration_id: row.integration_id,
    title: row.title,
    created_at: formatInstant(row.created_at_ms),
    updated_at: formatInstant(row.updated_at_ms),
    deleted_at: instantOrNull(row.deleted_at_ms),
  };
}

function messageLine({ parts, cited, created_at_ms, ...row }: MessageRow): OwnerExportLine {
  return {
    type: "message",
    ...row,
    parts: JSON.parse(parts),
    cited: jsonOrNull(cited),
    created_at: formatInstant(created_at_ms),
  };
}

function callLine(row: ToolCallRow): OwnerExportLine {
  const { input, output, created_at_ms, ended_at_ms, ...rest } = row;
  return {
    type: "tool_call",
    ...rest,
    input: jsonOrText(input),
    output: output === null ? null : jsonOrText(output),
    created_at: formatInstant(created_at_ms),
    ended_at: instantOrNull(ended_at_ms),
  };
}

function runLine(row: RunRow): OwnerExportLine {
  return {
    type: "run",
    id: row.id,
    thread_id: row.thread_id,
    message_id: row.message_id,
    session_id: row.sid,
    started_at: formatInstant(row.started_at_ms),
    ended_at: instantOrNull(row.ended_at_ms),
    ending: row.ending,
    input_tokens: row.input_tokens,
    output_tokens: row.output_tokens,
    draft: jsonOrNull(row.draft),
  };
}

function instantOrNull(atMs: number | null): string | null {
  return atMs === null ? null : formatInstant(atMs);
}

function jsonOrNull(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}

/** What a model wrote as the input of a call may be no JSON. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
