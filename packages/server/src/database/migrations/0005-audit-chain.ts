import { type Kysely, sql } from "kysely";
import { type AuditKeys, chainStart, hashLine, sealEnd } from "../../audit/audit-chain.ts";
import { referTarget } from "../../audit/owner-reference.ts";
import { isPostgres } from "../dialect.ts";
import type { NewAudit, Schema } from "../schema.ts";
import { run } from "./run.ts";

/** The audit as a chain that can only grow, and set-up links into a team. */
export async function auditChain(db: Kysely<unknown>, keys: AuditKeys): Promise<void> {
  await run(db, [
    "alter table setup_link add column team_id text",
    "alter table audit rename to audit_before",
    `create table audit (
      n integer primary key, at_ms integer not null, team_id text, project_id text,
      actor text not null, event text not null, target text, request_id text, address text,
      agent text, detail text, prev_hash blob not null, hash blob not null
    )`,
    `create table audit_head (
      id integer primary key check (id = 1), n integer not null, hash blob not null,
      seal blob not null, broken_at_ms integer
    )`,
  ]);
  await chainLinesOf(db as Kysely<Schema>, keys);
  await run(db, [
    "drop table audit_before",
    "create index audit_project on audit (project_id, n)",
    "create index audit_team on audit (team_id, n)",
  ]);
  if (isPostgres(db)) await forbidInPostgres(db);
  else await run(db, forbidInSqlite);
}

type LineBefore = Required<NewAudit> & { n: number };

/** Puts the lines that exist into the chain, in their order and without gaps. */
async function chainLinesOf(db: Kysely<Schema>, keys: AuditKeys): Promise<void> {
  let end = { n: 0, hash: chainStart };
  let lastN = 0;
  for (;;) {
    const { rows } = await sql<LineBefore>`
      select n, at_ms, project_id, actor, event, target, request_id, detail from audit_before
      where n > ${lastN} order by n limit 500`.execute(db);
    for (const row of rows) {
      const fields = {
        ...row,
        n: end.n + 1,
        team_id: null,
        target: referTarget(keys.reference, row.project_id, row.target),
        address: null,
        agent: null,
      };
      const hash = hashLine(end.hash, fields);
      await db
        .insertInto("audit")
        .values({ ...fields, prev_hash: end.hash, hash })
        .execute();
      end = { n: fields.n, hash };
      lastN = row.n;
    }
    if (rows.length === 0) break;
  }
  await db
    .insertInto("audit_head")
    .values({ id: 1, ...end, seal: sealEnd(keys.seal, end), broken_at_ms: null })
    .execute();
}

const forbidInSqlite = ["update", "delete"].map(
  (act) => `create trigger audit_no_${act} before ${act} on audit
    begin select raise(abort, 'the audit can only grow'); end`,
);

async function forbidInPostgres(db: Kysely<unknown>): Promise<void> {
  const statements = [
    `create function audit_can_only_grow() returns trigger language plpgsql as $$
      begin raise exception 'the audit can only grow'; end $$`,
    `create trigger audit_no_update before update or delete on audit
      for each row execute function audit_can_only_grow()`,
    `create trigger audit_no_truncate before truncate on audit
      for each statement execute function audit_can_only_grow()`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
