import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { openSnapshot } from "../backup/open-snapshot.ts";
import { restore } from "../backup/restore.ts";
import { readConfig } from "../config.ts";
import { createControlClient } from "../control/control-client.ts";
import { type TestDatabaseKind, testDatabases } from "../database/testing/test-databases.ts";
import { openServer } from "../open-server.ts";

vi.setConfig({ testTimeout: 60_000 });

const folders = mkdtempSync(join(tmpdir(), "valet-erasure-"));
const drops: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(drops.map((drop) => drop()));
  rmSync(folders, { recursive: true, force: true });
});

const owner = "owner-zq7x1";
/** What the owner has said and what is known about them, none of it a word of ours. */
const traces = [owner, "quokkafrage", "wombatmetadaten", "numbatkommentar"];

async function newPlace(kind: TestDatabaseKind) {
  const dataDir = mkdtempSync(join(folders, "data-"));
  if (kind.name === "SQLite") return { dataDir, place: join(dataDir, "valet.db") };
  const { place, drop } = await kind.createPlace();
  drops.push(drop);
  return { dataDir, place };
}

async function open({ dataDir, place }: { dataDir: string; place: string }) {
  const server = await openServer(
    readConfig({
      VALET_DATA_DIR: dataDir,
      VALET_LOG_LEVEL: "silent",
      ...(place.startsWith("postgres") && { VALET_DATABASE_URL: place }),
    }),
  );
  const control = createControlClient(async (path, init) =>
    server.control.request(`http://valet${path}`, init),
  );
  const { project } = await control.post<{ project: { id: string } }>("/projects", { name: "P" });
  const { secret } = await control.post<{ secret: string }>(`/projects/${project.id}/keys`, {
    name: "k",
  });
  const base = `http://valet/agent/v1/projects/${project.id}/agent`;
  const withKey = (path: string, body: unknown) =>
    server.app.request(`${base}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "x-api-key": secret, "content-type": "application/json" },
    });
  return {
    server,
    control,
    projectId: project.id,
    withKey,
    async mint(of: string) {
      const body = {
        external_owner_id: of,
        metadata: { note: of === owner ? "wombatmetadaten" : "-" },
      };
      const answer = await withKey("/sessions/", body);
      return ((await answer.json()) as { session_token: string }).session_token;
    },
    statusOf: async (token: string) =>
      (
        await server.app.request(`${base}/session/`, {
          headers: { authorization: `Bearer ${token}` },
        })
      ).status,
    async converse(token: string) {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const parts = [{ type: "text", text: "What is the quokkafrage?" }];
      const answer = await server.app.request(`${base}/chat/`, {
        method: "POST",
        body: JSON.stringify({ messages: [{ id: crypto.randomUUID(), role: "user", parts }] }),
        headers,
      });
      const text = await answer.text();
      const threadId = answer.headers.get("x-thread-id") ?? "";
      const messageId = /"messageId":"([^"]+)"/.exec(text)?.[1];
      const rated = await server.app.request(`${base}/threads/${threadId}/feedback`, {
        method: "POST",
        body: JSON.stringify({ message_id: messageId, rating: "up", comment: "numbatkommentar" }),
        headers,
      });
      expect(rated.status).toBeLessThan(300);
      return threadId;
    },
    erase: (body: object = {}) =>
      control.post<Record<string, unknown>>(`/projects/${project.id}/owners/erase`, {
        owner,
        ...body,
      }),
  };
}

/** Every place in which one of the traces is found: tables, and files of the data folder. */
async function findTraces({ dataDir, place }: { dataDir: string; place: string }) {
  const found: string[] = [];
  const snapshot = await openSnapshot(place);
  for (const table of snapshot.tables) {
    for await (const rows of snapshot.rows(table)) {
      const text = JSON.stringify(rows);
      for (const trace of traces) if (text.includes(trace)) found.push(`${table.name}: ${trace}`);
    }
  }
  await snapshot.close();
  for (const name of readdirSync(dataDir)) {
    if (!/\.(?:db|json|db-wal)$/.test(name)) continue;
    const bytes = readFileSync(join(dataDir, name));
    for (const trace of traces) if (bytes.includes(trace)) found.push(`${name}: ${trace}`);
  }
  return found;
}

for (const kind of await testDatabases()) {
  test(`${kind.name}: after an erasure the owner's id and words stand in no table and no file, and others keep theirs`, async () => {
    const where = await newPlace(kind);
    const valet = await open(where);
    const token = await valet.mint(owner);
    const other = await valet.mint("somebody-else");
    for (let count = 0; count < 12; count += 1) {
      await valet.converse(token);
      await valet.mint(owner);
    }
    expect((await findTraces(where)).length).toBeGreaterThanOrEqual(traces.length);
    expect(await valet.statusOf(token)).toBe(200);

    const erased = await valet.erase();
    expect(erased).toMatchObject({ threads: 12, messages: 24, feedback: 12, sessions: 13 });
    expect(erased.log_cleared).toBe(true);
    expect(await findTraces(where)).toEqual([]);
    expect(await valet.statusOf(token)).toBe(401);
    expect(await valet.statusOf(other)).toBe(200);
    expect(await valet.control.post("/audit/verify", { anchors: [] })).toMatchObject({ ok: true });
    expect(await valet.erase()).toMatchObject({ threads: 0, sessions: 0 });
    await valet.server.close();
    expect(await findTraces(where)).toEqual([]);
  });

  test(`${kind.name}: a block stays through an erasure unless it is to be forgotten`, async () => {
    const where = await newPlace(kind);
    const valet = await open(where);
    await valet.withKey("/revocations", { targets: [{ owner }], block: true });
    await valet.erase();
    expect((await valet.withKey("/sessions/", { external_owner_id: owner })).status).toBe(403);
    await valet.erase({ forget_block: true });
    expect(await findTraces(where)).toEqual([]);
    expect((await valet.withKey("/sessions/", { external_owner_id: owner })).status).toBe(201);
    await valet.server.close();
  });

  test(`${kind.name}: a project that is not there is a 404, and nobody gets in without signing in`, async () => {
    const valet = await open(await newPlace(kind));
    const answer = await valet.server.control.request("http://valet/projects/prj_x/owners/erase", {
      method: "POST",
      body: JSON.stringify({ owner }),
      headers: { "content-type": "application/json" },
    });
    expect(answer.status).toBe(404);
    const admin = await valet.server.app.request(
      `http://localhost:4747/admin/v1/projects/${valet.projectId}/owners/erase`,
      {
        method: "POST",
        body: JSON.stringify({ owner }),
        headers: { "content-type": "application/json", origin: "http://localhost:4747" },
      },
    );
    expect(admin.status).toBe(401);
    await valet.server.close();
  });

  test(`${kind.name}: a backup from before an erasure does not bring the owner back over the database that knows of it`, async () => {
    const where = await newPlace(kind);
    const valet = await open(where);
    const token = await valet.mint(owner);
    await valet.converse(token);
    const file = join(folders, `${kind.name}.backup`);
    const passphrase = "correct horse battery";
    let last: unknown;
    for await (const line of valet.control.lines("/backups", { file, passphrase })) last = line;
    expect(last).toHaveProperty("result");
    await valet.erase();
    await valet.server.close();
    const databaseUrl = where.place.startsWith("postgres") ? where.place : undefined;
    const { dataDir } = where;
    const restored = await restore({ file, passphrase, dataDir, databaseUrl, replace: true });
    expect(restored.carriedOver).toMatchObject({ owners: 1 });
    const snapshot = await openSnapshot(where.place);
    expect(await snapshot.all("select count(*) from thread")).toEqual([[0]]);
    expect(await snapshot.all("select count(*) from session")).toEqual([[0]]);
    await snapshot.close();
  });
}
