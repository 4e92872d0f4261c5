import type { Kysely } from "kysely";
import { run } from "./run.ts";

/** The tables that the first version had. */
export async function firstTables(db: Kysely<unknown>): Promise<void> {
  const statements = [
    `create table project (
      id text primary key, name text not null, demo integer not null, created_at_ms integer not null
    )`,
    `create table integration (
      id text primary key, project_id text not null references project (id), kind text not null,
      name text not null, created_at_ms integer not null
    )`,
    "create index integration_project on integration (project_id)",
    `create table api_key (
      kid text primary key, project_id text not null references project (id), name text not null,
      digest blob not null unique, pepper_epoch text not null, scopes text not null,
      sealed_copy blob, created_at_ms integer not null, created_by text, expires_at_ms integer,
      last_used_at_ms integer, revoked_at_ms integer
    )`,
    "create index api_key_project on api_key (project_id)",
    `create table session (
      digest blob primary key, sid text not null unique, project_id text not null, kid text not null,
      integration_id text, owner text, visitor_id text, visitor_ip text,
      issued_at_ms integer not null, expires_at_s integer not null, policy text not null,
      metadata text, revoked_at_ms integer
    ) without rowid`,
    "create index session_key on session (kid, expires_at_s)",
    "create index session_expiry on session (expires_at_s)",
    `create table revocation (
      seq integer primary key autoincrement, at_ms integer not null, project_id text not null,
      kind text not null, target text not null, issued_before_ms integer, until_s integer not null,
      reason text
    )`,
    `create table audit (
      n integer primary key autoincrement, at_ms integer not null, project_id text,
      actor text not null, event text not null, target text, request_id text, detail text
    )`,
    `create table setup_link (
      digest blob primary key, created_at_ms integer not null, expires_at_ms integer not null,
      used_at_ms integer
    ) without rowid`,
    `create table thread (
      id text primary key, project_id text not null, integration_id text, owner text,
      only_sid text, title text not null, created_at_ms integer not null,
      updated_at_ms integer not null, deleted_at_ms integer
    )`,
    "create index thread_owner on thread (project_id, owner, updated_at_ms)",
    `create table thread_source (
      thread_id text not null references thread (id), number integer not null, url text not null,
      title text not null, heading_path text not null, snippet text not null,
      primary key (thread_id, number), unique (thread_id, url)
    ) without rowid`,
    `create table message (
      id text not null, thread_id text not null references thread (id),
      position integer not null, role text not null, parts text not null, cited text, error text,
      created_at_ms integer not null, primary key (thread_id, id), unique (thread_id, position)
    )`,
    `create table tool_call (
      id text not null, thread_id text not null references thread (id), message_id text not null,
      name text not null, input text not null, state text not null, output text,
      created_at_ms integer not null, ended_at_ms integer, primary key (thread_id, id)
    )`,
    `create table source (
      id text primary key, project_id text not null references project (id), path text not null,
      base_url text, created_at_ms integer not null, updated_at_ms integer not null,
      unique (project_id, path)
    )`,
    `create table document (
      id text primary key, source_id text not null references source (id),
      project_id text not null, path text not null, title text not null, url text,
      content_hash text not null, markdown text not null, updated_at_ms integer not null,
      unique (source_id, path)
    )`,
    `create table chunk (
      id integer primary key autoincrement,
      document_id text not null references document (id) on delete cascade,
      project_id text not null, position integer not null, heading_path text not null,
      anchor text not null, text text not null
    )`,
    "create index chunk_document on chunk (document_id)",
  ];
  await run(db, statements);
}
