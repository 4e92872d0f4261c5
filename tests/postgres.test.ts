import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  connectDirectly,
  type TestPlace,
  testDatabases,
} from "../packages/server/src/database/testing/test-databases.ts";
import { mintToken } from "./support/ask.ts";
import { openPostgresProxy, type PostgresProxy } from "./support/postgres-proxy.ts";
import { freePort, runValet, startProgram } from "./support/programs.ts";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

type Connection = Awaited<ReturnType<typeof connectDirectly>>;

/** What a server does when PostgreSQL, or the way to it, breaks. */
let where: TestPlace;
let proxy: PostgresProxy;
let valet: TestServer;
/** Straight to the database, past the proxy. */
let operator: Connection;

async function newPlace(): Promise<TestPlace> {
  const kind = (await testDatabases()).find(({ name }) => name === "PostgreSQL");
  if (!kind) throw new Error("These tests need PostgreSQL.");
  return kind.createPlace();
}

beforeAll(async () => {
  where = await newPlace();
  proxy = await openPostgresProxy(where.place);
  valet = await openTestServer({ VALET_DATABASE_URL: proxy.url });
  operator = await connectDirectly(where.place);
});
afterAll(async () => {
  await valet.close();
  await proxy.close();
  await operator.end();
  await where.drop();
});

const base = () => `http://valet.test/agent/v1/projects/${valet.projectId}/agent`;
const mint = (owner: string) =>
  valet.fetch(`${base()}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": valet.apiKey, "content-type": "application/json" },
    body: JSON.stringify({ external_owner_id: owner }),
  });
const verify = (token: string) =>
  valet.fetch(`${base()}/session/`, { headers: { authorization: `Bearer ${token}` } });
const revoke = (sid: string) =>
  valet.fetch(`${base()}/sessions/${sid}/`, {
    method: "DELETE",
    headers: { "x-api-key": valet.apiKey },
  });

async function expectUnavailable(answer: Response): Promise<void> {
  const problem = (await answer.json()) as { code: string };
  expect([answer.status, problem.code]).toEqual([503, "unavailable"]);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
}

/** Until the server says so of itself; it must, within ten seconds. */
async function untilHealthIs(status: number): Promise<void> {
  const giveUpAtMs = performance.now() + 10_000;
  while ((await valet.fetch("http://valet.test/healthz")).status !== status) {
    if (performance.now() > giveUpAtMs) throw new Error(`The server did not come to ${status}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
beforeEach(async () => {
  // So that no limit is met: this is about something else.
  valet.clock.ms += 60_000;
  await untilHealthIs(200);
});

test("connections that are ended under way fail their own requests and no other, and nothing that was acknowledged is missing", async () => {
  const answers: Response[] = [];
  const prefix = `broken-${Date.now()}-`;
  let running = 8;
  const work = Array.from({ length: running }, async (_, worker) => {
    for (let round = 0; round < 10; round += 1) {
      answers.push(await mint(`${prefix}${worker}-${round}`));
    }
    running -= 1;
  });
  while (running > 0) {
    await operator.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'valet' and datname = current_database()",
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await Promise.all(work);
  const made: string[] = [];
  let failed = 0;
  for (const answer of answers) {
    if (answer.status === 201)
      made.push(((await answer.json()) as { session_id: string }).session_id);
    else {
      failed += 1;
      await expectUnavailable(answer);
    }
  }
  expect([made.length > 0, failed > 0]).toEqual([true, true]);
  const { rows } = await operator.query("select sid from session where owner like $1", [
    `${prefix}%`,
  ]);
  const stored = new Set(rows.map(({ sid }) => sid));
  expect(made.filter((sid) => !stored.has(sid))).toEqual([]);
  expect((await mint("jo")).status).toBe(201);
});

test("while PostgreSQL is down every request is told to come again, and all is well when it is back", async () => {
  const token = await mintToken(valet);
  await proxy.cut();
  await expectUnavailable(await mint("jo"));
  await untilHealthIs(503);
  await expectUnavailable(await verify(token));
  for (const path of ["/healthz", "/admin/v1/projects", "/admin/v1/auth/get-session"]) {
    const cookie = "valet.session_token=x.y";
    await expectUnavailable(await valet.fetch(`http://valet.test${path}`, { headers: { cookie } }));
  }
  expect((await verify(token)).headers.get("access-control-allow-origin")).toBe("*");
  await expect(valet.control.post("/projects", { name: "x" })).rejects.toThrow("Try again");
  await proxy.mend();
  await untilHealthIs(200);
  expect((await verify(token)).status).toBe(200);
  expect((await mint("jo")).status).toBe(201);
  expect(valet.log()).toContain("the hold on the database was lost");
  expect(valet.log()).toContain("the hold on the database is back");
});

test("a revocation whose acknowledgement is lost on the way is not called done, and can be asked for again", async () => {
  const { session_id: sid, session_token: token } = (await (await mint("jo")).json()) as {
    session_id: string;
    session_token: string;
  };
  expect((await verify(token)).status).toBe(200);
  const wasCommitted = proxy.loseAnswerTo("commit");
  const asked = revoke(sid);
  await wasCommitted;
  await proxy.cut();
  await expectUnavailable(await asked);
  await untilHealthIs(503);
  await proxy.mend();
  await untilHealthIs(200);
  expect((await revoke(sid)).status).toBe(200);
  const refused = await verify(token);
  expect(((await refused.json()) as { code: string }).code).toBe("token_revoked");
});

test("a server that has lost its hold answers nothing while another one could have the database", async () => {
  const token = await mintToken(valet);
  const other = await connectDirectly(where.place);
  // Asked for before the server loses it, so it is this one's before the server can ask again.
  const got = other.query("select pg_advisory_lock(508069831028)");
  await operator.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'valet hold' and datname = current_database()",
  );
  await got;
  await untilHealthIs(503);
  await expectUnavailable(await verify(token));
  await expectUnavailable(await mint("jo"));
  await other.end();
  await untilHealthIs(200);
  expect((await verify(token)).status).toBe(200);
});

test("the command works on PostgreSQL with the server running and with it stopped, and a second server is told so", async () => {
  const place = await newPlace();
  const folder = mkdtempSync(join(tmpdir(), "valet-postgres-"));
  const variables = {
    VALET_DATA_DIR: join(folder, "data"),
    VALET_DATABASE_URL: place.place,
    VALET_PORT: String(await freePort()),
    VALET_LOG_LEVEL: "warn",
  };
  const server = await startProgram(
    ["packages/server/dist/main.js", "start", "--json-ready"],
    variables,
  );
  const link = await runValet(["setup-link"], variables);
  const code = link.stdout.trim().split("#")[1];
  const made = await fetch(`${server.url}/admin/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: server.url },
    body: JSON.stringify({ code, name: "A", email: "a@example.com", password: "long enough 1" }),
  });
  expect(made.status).toBe(201);
  const created = await runValet(["keys", "create", "--name", "CI"], variables);
  expect(created.stdout).toMatch(/^VALET_API_KEY=agk_live_/);
  const second = await runValet(["start"], {
    ...variables,
    VALET_DATA_DIR: join(folder, "second"),
    VALET_PORT: String(await freePort()),
  });
  expect([second.status, second.stderr]).toEqual([
    1,
    "Another Valet server is using this database.\n",
  ]);
  expect(await server.stop()).toBe(0);
  expect((await runValet(["keys", "list"], variables)).stdout).toContain("CI  active");
  const nowhere = { ...variables, VALET_DATABASE_URL: "postgres://u:hush@127.0.0.1:1/x" };
  const refused = await runValet(["keys", "list"], nowhere);
  expect([refused.status, refused.stderr.trim().split("\n").length]).toEqual([1, 1]);
  expect(refused.stderr).not.toContain("hush");
  await place.drop();
  rmSync(folder, { recursive: true, force: true });
});

test("a server that finds that another one has had the database serves nothing more and says so", async () => {
  const other = await connectDirectly(where.place);
  const got = other.query("select pg_advisory_lock(508069831028)");
  await operator.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'valet hold' and datname = current_database()",
  );
  await got;
  await other.query("update holder set name = 'another server'");
  expect((await valet.server.ended).message).toBe("Another Valet server is using this database.");
  await other.end();
  await expectUnavailable(await mint("jo"));
  expect(valet.log()).toContain("another server has had the database");
});
