import type { ToolCallState } from "@valet/protocol";
import type { Generated, Insertable, Selectable } from "kysely";

/** The tables of the truth. Instants end in `_ms` (since 1970) or `_s`; JSON is text. */
export interface Schema {
  team: TeamTable;
  team_member: TeamMemberTable;
  project: ProjectTable;
  integration: IntegrationTable;
  api_key: ApiKeyTable;
  session: SessionTable;
  session_usage: SessionUsageTable;
  usage_day: UsageDayTable;
  change: ChangeTable;
  revocation: RevocationTable;
  audit: AuditTable;
  audit_head: AuditHeadTable;
  setup_link: SetupLinkTable;
  block: BlockTable;
  thread: ThreadTable;
  thread_source: ThreadSourceTable;
  message: MessageTable;
  tool_call: ToolCallTable;
  run: RunTable;
  feedback: FeedbackTable;
  source: SourceTable;
  document: DocumentTable;
  chunk: ChunkTable;
  holder: HolderTable;
  erasure: ErasureTable;
}

interface TeamTable {
  id: string;
  name: string;
  created_at_ms: number;
}

interface TeamMemberTable {
  team_id: string;
  /** The id of a person who has an account. */
  person_id: string;
  role: "owner" | "member" | "viewer";
  created_at_ms: number;
}

interface ProjectTable {
  id: string;
  team_id: string | null;
  name: string;
  /** 1 for the project that `npm start` makes. */
  demo: number;
  /** JSON of the project's settings; `{}` means all defaults. */
  settings: Generated<string>;
  created_at_ms: number;
  /** While it is set, no session of the project is good and none is made. */
  disabled_at_ms: number | null;
}

interface IntegrationTable {
  id: string;
  project_id: string;
  kind: string;
  name: string;
  created_at_ms: number;
  disabled_at_ms: number | null;
}

interface ApiKeyTable {
  kid: string;
  project_id: string;
  name: string;
  /** HMAC-SHA-256 of the whole key under the pepper of `pepper_epoch`. */
  digest: Buffer;
  pepper_epoch: string;
  scopes: string;
  /** AES-256-GCM of the key, when its maker chose to keep a copy. */
  sealed_copy: Buffer | null;
  created_at_ms: number;
  created_by: string | null;
  expires_at_ms: number | null;
  last_used_at_ms: number | null;
  revoked_at_ms: number | null;
  /** JSON of the CIDR ranges it may be used from; null means any. */
  ip_allow: string | null;
  /** While it is set, the key and its sessions are refused. */
  disabled_at_ms: number | null;
  /** The key that took its place. */
  replaced_by: string | null;
  /** Until when it still works after it was replaced. */
  grace_until_ms: number | null;
  /** How often it was used after it was replaced. */
  grace_calls: Generated<number>;
  first_used_at_ms: number | null;
  /** JSON of the networks it was used from: /24 or /48 prefixes. */
  networks: Generated<string>;
  /** Where it is used, in its maker's words. */
  description: string | null;
}

interface SessionTable {
  /** SHA-256 of the token. */
  digest: Buffer;
  sid: string;
  project_id: string;
  kid: string;
  integration_id: string | null;
  owner: string | null;
  visitor_id: string | null;
  visitor_ip: string | null;
  issued_at_ms: number;
  expires_at_s: number;
  /** What was fixed at mint: origins, limits, allow. */
  policy: string;
  metadata: string | null;
  revoked_at_ms: number | null;
}

/** What sessions with limits have used up. A session without a row has used nothing. */
interface SessionUsageTable {
  sid: string;
  project_id: string;
  turns: number;
  model_tokens: number;
  /** The session's end. */
  until_s: number;
}

/** What a project has used up on a day. */
interface UsageDayTable {
  project_id: string;
  /** `2026-03-17`, UTC. */
  day: string;
  kind: string;
  count: number;
}

/** What other servers of a fleet will have to read again. */
interface ChangeTable {
  seq: Generated<number>;
  at_ms: number;
  project_id: string;
  kind: "key" | "project" | "block";
  target: string;
}

interface RevocationTable {
  seq: Generated<number>;
  at_ms: number;
  project_id: string;
  kind: "session" | "key" | "owner" | "visitor" | "project";
  target: string;
  /** Sessions issued at or before this instant are over; null means whatever their instant. */
  issued_before_ms: number | null;
  /** After this instant no session that it could end is left. */
  until_s: number;
  reason: string | null;
}

interface BlockTable {
  project_id: string;
  kind: "owner" | "visitor";
  target: string;
  at_ms: number;
  reason: string | null;
}

/** Lines of the audit, gapless from 1. They are only ever added; triggers see to that. */
interface AuditTable {
  n: number;
  at_ms: number;
  team_id: string | null;
  project_id: string | null;
  actor: string;
  event: string;
  target: string | null;
  request_id: string | null;
  /** The /24 or /48 that the request came from. */
  address: string | null;
  /** The first half of the SHA-256 of the user agent, in hex. */
  agent: string | null;
  /** JSON. */
  detail: string | null;
  /** The hash of the line before; 32 zeros for the first. */
  prev_hash: Buffer;
  /** SHA-256 of all other fields. */
  hash: Buffer;
}

/** One row: where the chain of the audit ends. */
interface AuditHeadTable {
  id: number;
  n: number;
  hash: Buffer;
  /** HMAC of `n` and `hash` under a key that the database does not hold. */
  seal: Buffer;
  /** When it was first seen that the seal does not fit. */
  broken_at_ms: number | null;
}

interface SetupLinkTable {
  /** SHA-256 of the code. */
  digest: Buffer;
  created_at_ms: number;
  expires_at_ms: number;
  used_at_ms: number | null;
  /** The team that the account will be in; null makes one of its own. */
  team_id: string | null;
}

interface ThreadTable {
  id: string;
  project_id: string;
  integration_id: string | null;
  owner: string | null;
  /** Set when a foreign client chose the id: then only this session may use it. */
  only_sid: string | null;
  title: string;
  created_at_ms: number;
  updated_at_ms: number;
  deleted_at_ms: number | null;
}

interface ThreadSourceTable {
  thread_id: string;
  number: number;
  /** What makes two passages the same source: the URL with its anchor. */
  url: string;
  title: string;
  heading_path: string;
  snippet: string;
}

interface MessageTable {
  id: string;
  thread_id: string;
  position: number;
  role: "user" | "assistant";
  parts: string;
  /** JSON of the numbers of the sources cited. */
  cited: string | null;
  error: string | null;
  created_at_ms: number;
}

interface ToolCallTable {
  id: string;
  thread_id: string;
  message_id: string;
  name: string;
  /** What the model wrote. */
  input: string;
  state: ToolCallState;
  output: string | null;
  created_at_ms: number;
  ended_at_ms: number | null;
  /** Who runs it. */
  side: "server" | "page";
  /** What a decision about it names; null where it needs none. Unique on the server. */
  approval_id: string | null;
  /** 1 where a decision may bring `edited_input`. */
  is_editable: number;
  /** What a person made of `input`. */
  edited_input: string | null;
  decided_at_ms: number | null;
  /** The session that decided. */
  decided_by: string | null;
  /** When the server began to run it, where that has an effect. */
  started_at_ms: number | null;
}

/** One row for each run of the agent, from when it begins. */
interface RunTable {
  id: string;
  project_id: string;
  thread_id: string;
  /** The answer that it writes, which may not be stored yet. */
  message_id: string;
  /** The answer that this one takes the place of. */
  replaces: string | null;
  sid: string;
  owner: string | null;
  /** The end of its session. */
  until_s: number;
  started_at_ms: number;
  /** Null while it goes on, or when its server ended without a word. */
  ended_at_ms: number | null;
  /** `finished`, `stopped`, or the code of its failure. */
  ending: string | null;
  input_tokens: Generated<number>;
  output_tokens: Generated<number>;
  /** What its session has to pay for it, should it end without a word. */
  owed_tokens: Generated<number>;
  /** JSON of the answer so far; null when it has ended. */
  draft: string | null;
}

interface FeedbackTable {
  thread_id: string;
  message_id: string;
  rating: "up" | "down";
  comment: string | null;
  at_ms: number;
}

interface SourceTable {
  id: string;
  project_id: string;
  /** The folder or file it was read from, by real path. */
  path: string;
  base_url: string | null;
  created_at_ms: number;
  updated_at_ms: number;
}

interface DocumentTable {
  id: string;
  source_id: string;
  project_id: string;
  /** Below the source's path. */
  path: string;
  title: string;
  url: string | null;
  content_hash: string;
  markdown: string;
  updated_at_ms: number;
}

interface ChunkTable {
  id: Generated<number>;
  document_id: string;
  project_id: string;
  position: number;
  heading_path: string;
  anchor: string;
  text: string;
}

/** Whose data was erased. */
interface ErasureTable {
  project_id: string;
  /** The name by which the audit knows the owner. */
  owner_ref: string;
  at_ms: number;
}

/** The one server that has a PostgreSQL database. */
interface HolderTable {
  name: string;
}

export type TeamRow = Selectable<TeamTable>;
export type ProjectRow = Selectable<ProjectTable>;
export type IntegrationRow = Selectable<IntegrationTable>;
export type ApiKeyRow = Selectable<ApiKeyTable>;
export type SessionRow = Selectable<SessionTable>;
export type AuditRow = Selectable<AuditTable>;
/** A line before it has its place in the chain. */
export type NewAudit = Omit<Insertable<AuditTable>, "n" | "prev_hash" | "hash">;
export type ThreadRow = Selectable<ThreadTable>;
export type ThreadSourceRow = Selectable<ThreadSourceTable>;
export type MessageRow = Selectable<MessageTable>;
export type ToolCallRow = Selectable<ToolCallTable>;
export type RunRow = Selectable<RunTable>;
export type FeedbackRow = Selectable<FeedbackTable>;
export type SourceRow = Selectable<SourceTable>;
export type DocumentRow = Selectable<DocumentTable>;
