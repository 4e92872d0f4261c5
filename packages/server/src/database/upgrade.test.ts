import { createHash, createSecretKey, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kysely, Migrator, PostgresDialect, sql } from "kysely";
import { expect, test } from "vitest";
import { createApiKey, digestApiKey } from "../api-keys/api-key-format.ts";
import { readConfig } from "../config.ts";
import { createControlClient } from "../control/control-client.ts";
import { loadSecrets } from "../data-folder/secrets.ts";
import { openServer } from "../open-server.ts";
import { createSessionTokenFormat } from "../sessions/session-token-format.ts";
import { migrations } from "./migrations.ts";
import { createPostgresPool } from "./postgres-pool.ts";
import type { Schema } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";
import { testDatabases } from "./testing/test-databases.ts";

/** The last migration of the version that knew no teams. */
const lastOfThen = "0003_blocks";

for (const kind of await testDatabases()) {
  test(`${kind.name}: a database of the version before teams opens with every key, session, thread and line of the audit, and its projects get a team`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "valet-upgrade-"));
    const dataDir = join(folder, "data");
    mkdirSync(dataDir);
    const secrets = loadSecrets(dataDir);
    const postgres = kind.name === "PostgreSQL" ? await kind.createPlace() : undefined;
    const before = postgres
      ? new Kysely<Schema>({
          dialect: new PostgresDialect({ pool: createPostgresPool({ url: postgres.place }) }),
        })
      : openSqlite(join(dataDir, "valet.db"));
    const migrator = new Migrator({
      db: before,
      provider: { getMigrations: async () => migrations(secrets.audit) },
    });
    expect((await migrator.migrateTo(lastOfThen)).error).toBeUndefined();

    const nowMs = Date.now();
    const pepper = createSecretKey(secrets.pepper.get(secrets.currentEpoch) ?? Buffer.alloc(0));
    const [live, revoked] = [createApiKey(), createApiKey()];
    await sql`insert into project (id, name, demo, created_at_ms)
      values ('prj_1', 'One', 0, 1), ('prj_2', 'Two', 0, 2)`.execute(before);
    await sql`insert into integration (id, project_id, kind, name, created_at_ms)
      values ('int_1', 'prj_1', 'agent', 'Page', 1)`.execute(before);
    for (const { kid, text } of [live, revoked]) {
      const revokedAtMs = kid === revoked.kid ? nowMs : null;
      await sql`insert into api_key (kid, project_id, name, digest, pepper_epoch, scopes,
          created_at_ms, revoked_at_ms)
        values (${kid}, 'prj_1', 'Key', ${digestApiKey(text, pepper)}, ${secrets.currentEpoch},
          '["sessions:create","sessions:read"]', 1, ${revokedAtMs})`.execute(before);
    }
    const format = createSessionTokenFormat({
      environment: secrets.environment,
      currentEpoch: secrets.currentEpoch,
      macKeys: secrets.tokenMac,
    });
    const expiresAtS = Math.ceil(nowMs / 1000) + 1800;
    const [token, ended] = [format.create(expiresAtS), format.create(expiresAtS)];
    for (const [text, sid] of [
      [token, "ses_live"],
      [ended, "ses_ended"],
    ] as const) {
      const digest = createHash("sha256").update(text).digest();
      await sql`insert into session (digest, sid, project_id, kid, owner, issued_at_ms,
          expires_at_s, policy, revoked_at_ms)
        values (${digest}, ${sid}, 'prj_1', ${live.kid}, 'jo', ${nowMs}, ${expiresAtS}, '{}',
          ${sid === "ses_ended" ? nowMs : null})`.execute(before);
    }
    await sql`insert into block (project_id, kind, target, at_ms)
      values ('prj_1', 'owner', 'kim', 1)`.execute(before);
    const thread = `thr_${"a".repeat(22)}`;
    await sql`insert into thread (id, project_id, owner, title, created_at_ms, updated_at_ms)
      values (${thread}, 'prj_1', 'jo', 'Pumps', ${nowMs}, ${nowMs})`.execute(before);
    await sql`insert into message (id, thread_id, position, role, parts, created_at_ms)
      values ('m1', ${thread}, 0, 'user', '[{"type":"text","text":"How?"}]', ${nowMs})`.execute(
      before,
    );
    await sql`insert into audit (at_ms, project_id, actor, event, target)
      values (1, 'prj_1', 'command', 'key.created', ${live.kid})`.execute(before);
    await sql`insert into setup_link (digest, created_at_ms, expires_at_ms)
      values (${randomBytes(32)}, ${nowMs}, ${nowMs + 3_600_000})`.execute(before);
    await before.destroy();

    const server = await openServer(
      readConfig({
        VALET_DATA_DIR: dataDir,
        VALET_LOG_LEVEL: "silent",
        ...(postgres && { VALET_DATABASE_URL: postgres.place }),
      }),
    );
    const base = "http://valet.test/agent/v1/projects/prj_1/agent";
    const ask = async (path: string, headers: Record<string, string>, body?: object) => {
      const answer = await server.app.request(`${base}${path}`, {
        headers: { ...headers, ...(body && { "content-type": "application/json" }) },
        ...(body && { method: "POST", body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const withKey = (text: string) => ({ "x-api-key": text });
    const withToken = (text: string) => ({ authorization: `Bearer ${text}` });

    expect((await ask("/sessions/", withKey(live.text), {})).status).toBe(201);
    expect((await ask("/sessions/", withKey(revoked.text), {})).body.code).toBe("key_revoked");
    const blocked = await ask("/sessions/", withKey(live.text), { external_owner_id: "kim" });
    expect(blocked.body.code).toBe("owner_blocked");
    expect((await ask("/session/", withToken(token))).body.session_id).toBe("ses_live");
    expect((await ask("/session/", withToken(ended))).body.code).toBe("token_revoked");
    const kept = await ask(`/threads/${thread}/`, withToken(token));
    expect(kept.body).toMatchObject({ thread: { title: "Pumps", message_count: 1 } });

    const control = createControlClient(async (path, init) =>
      server.control.request(`http://valet${path}`, init),
    );
    const { projects } = await control.get<{ projects: { id: string }[] }>("/projects");
    expect(projects.map(({ id }) => id)).toEqual(["prj_1", "prj_2"]);
    expect(await control.post("/audit/verify", {})).toMatchObject({ ok: true });
    const lines: string[] = [];
    for await (const line of control.lines<{ event?: string; target?: string }>(
      "/audit/export",
      {},
    )) {
      lines.push(`${line.event} ${line.target}`);
    }
    expect(lines).toContain(`key.created ${live.kid}`);
    await server.close();

    const after = postgres
      ? new Kysely<Schema>({
          dialect: new PostgresDialect({ pool: createPostgresPool({ url: postgres.place }) }),
        })
      : openSqlite(join(dataDir, "valet.db"));
    const teams = await after.selectFrom("team").select("id").execute();
    expect(teams).toHaveLength(1);
    const owners = await after.selectFrom("project").select("team_id").execute();
    expect(owners).toEqual([{ team_id: teams[0]?.id }, { team_id: teams[0]?.id }]);
    await after.destroy();
    await postgres?.drop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);
}
