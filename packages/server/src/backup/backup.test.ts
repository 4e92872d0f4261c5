import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as otherWork } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, expect, test, vi } from "vitest";
import { readConfig } from "../config.ts";
import { type ControlClient, createControlClient } from "../control/control-client.ts";
import { DataFolderInUseError } from "../data-folder/data-folder.ts";
import { openDatabase } from "../database/database.ts";
import { DatabaseInUseError } from "../database/postgres-hold.ts";
import { type TestDatabaseKind, testDatabases } from "../database/testing/test-databases.ts";
import { type OpenServer, openServer } from "../open-server.ts";
import { openSnapshot } from "./open-snapshot.ts";
import { type RestoreOptions, restore } from "./restore.ts";

// The key of a backup is made slowly, on purpose.
vi.setConfig({ testTimeout: 60_000 });

const passphrase = "correct horse battery";
const folders = mkdtempSync(join(tmpdir(), "valet-backup-"));
const drops: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(drops.map((drop) => drop()));
  rmSync(folders, { recursive: true, force: true });
});

let places = 0;
/** An empty data folder, and where its database is to be. */
async function newPlace(kind: TestDatabaseKind): Promise<Place> {
  places += 1;
  const dataDir = join(folders, `data-${places}`);
  if (kind.name === "SQLite") return { dataDir, databaseUrl: undefined };
  const { place, drop } = await kind.createPlace();
  drops.push(drop);
  return { dataDir, databaseUrl: place };
}

interface Place {
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
}

async function open({ dataDir, databaseUrl }: Place): Promise<{
  server: OpenServer;
  control: ControlClient;
}> {
  const server = await openServer(
    readConfig({
      VALET_DATA_DIR: dataDir,
      VALET_LOG_LEVEL: "silent",
      ...(databaseUrl !== undefined && { VALET_DATABASE_URL: databaseUrl }),
    }),
  );
  const control = createControlClient(async (path, init) =>
    server.control.request(`http://valet${path}`, init),
  );
  return { server, control };
}

async function backUp(control: ControlClient, file: string): Promise<Record<string, unknown>> {
  let last: Record<string, unknown> = {};
  for await (const line of control.lines<Record<string, unknown>>("/backups", {
    file,
    passphrase,
  })) {
    last = line;
  }
  return last;
}

const newFile = () => {
  places += 1;
  return join(folders, `${places}.backup`);
};
const restoreInto = (place: Place, file: string, options: Partial<RestoreOptions> = {}) =>
  restore({ file, passphrase, ...place, ...options });

/** A project with a key, and ways to use them. */
async function project({ server, control }: Awaited<ReturnType<typeof open>>) {
  const { project } = await control.post<{ project: { id: string } }>("/projects", { name: "P" });
  const base = `http://valet/agent/v1/projects/${project.id}/agent`;
  return {
    id: project.id,
    newKey: () =>
      control.post<{ id: string; secret: string }>(`/projects/${project.id}/keys`, { name: "k" }),
    revokeKey: (kid: string) => control.post(`/projects/${project.id}/keys/${kid}/revoke`),
    async mint(secret: string, body: object = {}) {
      const answer = await server.app.request(`${base}/sessions/`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "x-api-key": secret, "content-type": "application/json" },
      });
      return (await answer.json()) as { session_token: string; session_id: string };
    },
    revokeSession: (secret: string, sid: string) =>
      server.app.request(`${base}/sessions/${sid}/`, {
        method: "DELETE",
        headers: { "x-api-key": secret },
      }),
    block: (secret: string, owner: string) =>
      server.app.request(`${base}/revocations`, {
        method: "POST",
        body: JSON.stringify({ targets: [{ owner }], block: true }),
        headers: { "x-api-key": secret, "content-type": "application/json" },
      }),
  };
}

const statusOf = async (server: OpenServer, projectId: string, token: string) =>
  (
    await server.app.request(`http://valet/agent/v1/projects/${projectId}/agent/session/`, {
      headers: { authorization: `Bearer ${token}` },
    })
  ).status;
const mintStatus = async (server: OpenServer, projectId: string, secret: string, body = {}) =>
  (
    await server.app.request(`http://valet/agent/v1/projects/${projectId}/agent/sessions/`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "x-api-key": secret, "content-type": "application/json" },
    })
  ).status;

const kinds = await testDatabases();
for (const from of kinds) {
  for (const to of kinds) {
    test(`${from.name} to ${to.name}: a backup taken while sessions are made has every key and session acknowledged before it, and what was revoked stays revoked`, async () => {
      const source = await open(await newPlace(from));
      const { id, newKey, mint, revokeKey, revokeSession, block } = await project(source);
      const key = await newKey();
      const over = await newKey();
      const ofOver = await mint(over.secret);
      const sessions = await Promise.all(Array.from({ length: 20 }, () => mint(key.secret)));
      const ended = await mint(key.secret);
      await revokeSession(key.secret, ended.session_id);
      await revokeKey(over.id);
      await block(key.secret, "blocked");
      const people = await source.control.post<{ url: string }>("/setup-links");
      const made = await source.server.app.request("http://localhost:4747/admin/v1/setup", {
        method: "POST",
        body: JSON.stringify({
          code: people.url.split("#")[1],
          name: "Ada",
          email: "ada@example.com",
          password: "a long password",
        }),
        headers: { "content-type": "application/json", origin: "http://localhost:4747" },
      });
      expect(made.status).toBeLessThan(300);

      let isMinting = true;
      const minting = (async () => {
        let count = 0;
        while (isMinting) {
          await mint(key.secret);
          count += 1;
          // As requests do that come over a network.
          await otherWork();
        }
        return count;
      })();
      const file = newFile();
      expect(await backUp(source.control, file)).toMatchObject({ result: { documents: 0 } });
      isMinting = false;
      expect(await minting).toBeGreaterThan(0);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      await source.server.close();

      const place = await newPlace(to);
      const restored = await restoreInto(place, file);
      expect(restored).toMatchObject({ kept: undefined, carriedOver: undefined });
      expect(restored.activeKeys.map(({ kid }) => kid)).toEqual([key.id]);
      const { server, control } = await open(place);
      for (const { session_token: token } of sessions) {
        expect(await statusOf(server, id, token)).toBe(200);
      }
      expect(await control.post("/audit/verify", { anchors: [] })).toMatchObject({ ok: true });
      expect(await statusOf(server, id, ended.session_token)).toBe(401);
      expect(await statusOf(server, id, ofOver.session_token)).toBe(401);
      expect(await mintStatus(server, id, key.secret)).toBe(201);
      expect(await mintStatus(server, id, over.secret)).toBe(401);
      expect(await mintStatus(server, id, key.secret, { external_owner_id: "blocked" })).toBe(403);
      expect(await control.get<{ accounts: boolean }>("/status")).toMatchObject({ accounts: true });
      const signedIn = await server.app.request(
        "http://localhost:4747/admin/v1/auth/sign-in/email",
        {
          method: "POST",
          body: JSON.stringify({ email: "ada@example.com", password: "a long password" }),
          headers: { "content-type": "application/json", origin: "http://localhost:4747" },
        },
      );
      expect(signedIn.status).toBe(200);
      // Numbers go on behind those that were given: this writes to every table that has them.
      await control.post(`/projects/${id}/keys/${key.id}/revoke`);
      expect(await mintStatus(server, id, key.secret)).toBe(401);
      await server.close();
    });
  }

  test(`${from.name}: nothing is written by a restore of a wrong passphrase or of a damaged file`, async () => {
    const source = await open(await newPlace(from));
    await (await project(source)).newKey();
    const file = newFile();
    await backUp(source.control, file);
    await source.server.close();
    const place = await newPlace(from);

    await expect(
      restoreInto(place, file, { passphrase: "another passphrase" }),
    ).rejects.toMatchObject({ code: "wrong_passphrase" });
    const whole = readFileSync(file);
    for (const damaged of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.of(0)])]) {
      writeFileSync(file, damaged);
      await expect(restoreInto(place, file)).rejects.toMatchObject({ code: "damaged" });
    }
    expect(readdirSync(place.dataDir)).toEqual(["lock.db"]);
    if (place.databaseUrl !== undefined) {
      const snapshot = await openSnapshot(place.databaseUrl);
      expect(snapshot.tables).toEqual([]);
      await snapshot.close();
    }
    writeFileSync(file, whole);
    await restoreInto(place, file);
  });

  test(`${from.name}: a restore over a database carries over what was ended after the backup, and keeps what was there`, async () => {
    const place = await newPlace(from);
    const source = await open(place);
    const { id, newKey, mint, revokeKey, revokeSession, block } = await project(source);
    const key = await newKey();
    const over = await newKey();
    const [live, ended, ofOwner] = await Promise.all([
      mint(key.secret),
      mint(key.secret),
      mint(key.secret, { external_owner_id: "owner" }),
    ]);
    const ofOver = await mint(over.secret);
    const file = newFile();
    await backUp(source.control, file);
    await revokeSession(key.secret, ended.session_id);
    await revokeKey(over.id);
    await block(key.secret, "owner");
    await source.server.close();

    await expect(restoreInto(place, file)).rejects.toMatchObject({ code: "not_empty" });
    const restored = await restoreInto(place, file, { replace: true });
    expect(restored.carriedOver).toMatchObject({ keys: 1, sessions: 1, blocks: 1 });
    const { server } = await open(place);
    expect(await statusOf(server, id, live.session_token)).toBe(200);
    for (const { session_token: token } of [ended, ofOwner, ofOver]) {
      expect(await statusOf(server, id, token)).toBe(401);
    }
    expect(await mintStatus(server, id, over.secret)).toBe(401);
    expect(await mintStatus(server, id, key.secret, { external_owner_id: "owner" })).toBe(403);
    await server.close();

    expect(readdirSync(restored.kept ?? "")).toContain("secrets.json");
    if (from.name === "SQLite") {
      const kept = await openSnapshot(join(restored.kept ?? "", "valet.db"));
      expect(
        await kept.all("select count(*) from api_key where revoked_at_ms is not null"),
      ).toEqual([[1]]);
      await kept.close();
    } else {
      const elsewhere = await newPlace(from);
      const old = await restoreInto(elsewhere, join(restored.kept ?? "", "database.valet-backup"));
      expect(old.activeKeys.map(({ kid }) => kid)).toEqual([key.id]);
    }
  });

  test(`${from.name}: on a fresh machine keys can be revoked and sessions ended with the restore`, async () => {
    const source = await open(await newPlace(from));
    const { id, newKey, mint } = await project(source);
    const [stays, goes] = [await newKey(), await newKey()];
    const session = await mint(stays.secret);
    const file = newFile();
    await backUp(source.control, file);
    await source.server.close();

    const place = await newPlace(from);
    const strange = { revokeKeys: ["AAAAAAAAAAAA"] };
    await expect(restoreInto(place, file, strange)).rejects.toMatchObject({ code: "unknown_key" });
    const restored = await restoreInto(place, file, { revokeKeys: [goes.id], endSessions: true });
    expect(restored.ended).toEqual({ keys: 1, projects: 1 });
    expect(restored.activeKeys.map(({ kid }) => kid)).toEqual([stays.id]);
    const { server } = await open(place);
    expect(await statusOf(server, id, session.session_token)).toBe(401);
    expect(await mintStatus(server, id, goes.secret)).toBe(401);
    expect(await mintStatus(server, id, stays.secret)).toBe(201);
    await server.close();
  });

  test(`${from.name}: a restore refuses while a server has the place, and a backup never overwrites a file`, async () => {
    const place = await newPlace(from);
    const source = await open(place);
    await project(source);
    const file = newFile();
    await backUp(source.control, file);
    expect(await backUp(source.control, file)).toMatchObject({
      error: expect.stringContaining("is there already"),
    });
    const nowhere = join(folders, "no-folder", "x.backup");
    expect(await backUp(source.control, nowhere)).toMatchObject({
      error: expect.stringContaining("ENOENT"),
    });
    await expect(restoreInto(place, file, { replace: true })).rejects.toThrow(DataFolderInUseError);
    if (place.databaseUrl !== undefined) {
      const elsewhere = { dataDir: join(folders, "elsewhere"), databaseUrl: place.databaseUrl };
      await expect(restoreInto(elsewhere, file, { replace: true })).rejects.toThrow(
        DatabaseInUseError,
      );
    }
    await source.server.close();
    expect(readdirSync(folders).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test(`${from.name}: a snapshot sees nothing of what is written after it began`, async () => {
    const { place, drop } = await from.createPlace();
    drops.push(drop);
    const database = await openDatabase(place);
    const add = (name: string) =>
      sql`insert into team (id, name, created_at_ms) values (${name}, ${name}, 1)`.execute(
        database,
      );
    await add("before");
    const snapshot = await openSnapshot(place);
    await add("after");
    const team = snapshot.tables.find(({ name }) => name === "team");
    const rows: unknown[] = [];
    if (team) for await (const step of snapshot.rows(team)) rows.push(...step);
    expect(rows).toEqual([["before", "before", 1]]);
    await snapshot.close();
    await database.destroy();
  });
}
