import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Schema } from "../schema.ts";
import { run } from "./run.ts";

/** Teams, settings of projects, keys that can be limited, disabled and rotated, and what is used up. */
export async function operations(db: Kysely<unknown>): Promise<void> {
  await run(db, [
    `create table team (
      id text primary key, name text not null, created_at_ms integer not null
    )`,
    `create table team_member (
      team_id text not null references team (id), person_id text not null, role text not null,
      created_at_ms integer not null, primary key (team_id, person_id)
    ) without rowid`,
    "create index team_member_person on team_member (person_id)",

    "alter table project add column team_id text references team (id)",
    "alter table project add column settings text not null default '{}'",
    "alter table project add column disabled_at_ms integer",
    "create index project_team on project (team_id)",
    "alter table integration add column disabled_at_ms integer",

    "alter table api_key add column ip_allow text",
    "alter table api_key add column disabled_at_ms integer",
    "alter table api_key add column replaced_by text",
    "alter table api_key add column grace_until_ms integer",
    "alter table api_key add column grace_calls integer not null default 0",
    "alter table api_key add column first_used_at_ms integer",
    "alter table api_key add column networks text not null default '[]'",

    // Made anew: in a table with rowid the indexes hold a small number where they held a digest.
    `create table session_new (
      digest blob not null primary key, sid text not null unique, project_id text not null,
      kid text not null, integration_id text, owner text, visitor_id text, visitor_ip text,
      issued_at_ms integer not null, expires_at_s integer not null, policy text not null,
      metadata text, revoked_at_ms integer
    )`,
    "insert into session_new select * from session",
    "drop table session",
    "alter table session_new rename to session",
    "create index session_key on session (kid, expires_at_s)",
    "create index session_expiry on session (expires_at_s)",
    `create index session_owner on session (project_id, owner, expires_at_s)
      where owner is not null`,
    `create index session_visitor on session (project_id, visitor_id, expires_at_s)
      where visitor_id is not null`,

    `create table session_usage (
      sid text primary key, project_id text not null, turns integer not null,
      model_tokens integer not null, until_s integer not null
    ) without rowid`,
    "create index session_usage_end on session_usage (until_s)",
    `create table usage_day (
      project_id text not null, day text not null, kind text not null, count integer not null,
      primary key (project_id, day, kind)
    ) without rowid`,
    `create table change (
      seq integer primary key autoincrement, at_ms integer not null, project_id text not null,
      kind text not null, target text not null
    )`,
    "create index thread_updated on thread (updated_at_ms)",
  ]);
  await giveProjectsATeam(db as Kysely<Schema>);
}

/** Projects that were there before there were teams belong to the first one. */
async function giveProjectsATeam(db: Kysely<Schema>): Promise<void> {
  const first = await db.selectFrom("project").select("created_at_ms").executeTakeFirst();
  if (!first) return;
  const id = "tem_first";
  await db
    .insertInto("team")
    .values({ id, name: "My team", created_at_ms: first.created_at_ms })
    .execute();
  await sql`update project set team_id = ${id}`.execute(db);
}
