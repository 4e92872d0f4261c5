import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, mintToken } from "./support/ask.ts";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

const origin = "http://localhost:4747";
let valet: TestServer;
let cookie: string;
let strangerCookie: string;

beforeAll(async () => {
  valet = await openTestServer();
  cookie = await account("ada");
  strangerCookie = await account("eve");
});
afterAll(() => valet.close());

async function account(name: string): Promise<string> {
  const { url } = await valet.control.post<{ url: string }>("/setup-links");
  const code = url.slice(url.indexOf("#") + 1);
  const email = `${name}@example.com`;
  const answer = await call("POST", "/admin/v1/setup", {
    body: { code, name, email, password: "correct horse battery" },
  });
  expect(answer.status).toBe(201);
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
}

function call(
  method: string,
  path: string,
  { body, as }: { body?: unknown; as?: string } = {},
): Promise<Response> {
  return valet.fetch(`${origin}${path}`, {
    method,
    headers: {
      origin,
      "user-agent": "Tests/1",
      ...(as === undefined ? {} : { cookie: as }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

interface Line {
  readonly n: number;
  readonly actor: string;
  readonly event: string;
  readonly target: string | null;
  readonly project_id: string | null;
  readonly request_id: string | null;
  readonly network: string | null;
  readonly agent: string | null;
  readonly detail: Record<string, unknown> | null;
}

async function lines(query: string, as = cookie): Promise<Line[]> {
  const answer = await call("GET", `/admin/v1/audit${query}`, { as });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { lines: Line[] }).lines;
}

async function exported(): Promise<Line[]> {
  const found: Line[] = [];
  for await (const line of valet.control.lines<Line>("/audit/export", {})) found.push(line);
  return found.slice(1);
}

test("a line says who did it, by which request, and from where", async () => {
  const keys = `/admin/v1/projects/${valet.projectId}/keys`;
  const made = await call("POST", keys, { as: cookie, body: { name: "Audited" } });
  const { key } = (await made.json()) as { key: { id: string } };
  const [line] = await lines(`?event=key.created&target=${key.id}`);
  expect(line).toMatchObject({
    actor: expect.stringMatching(/^person:/),
    project_id: valet.projectId,
    request_id: made.headers.get("x-request-id"),
    network: "127.0.0.0/24",
    agent: expect.stringMatching(/^[0-9a-f]{32}$/),
    detail: { name: "Audited" },
  });
});

test("owners are found by their id and stand nowhere in clear", async () => {
  const owner = "user-with-a-name@example.com";
  await mintToken(valet, { external_owner_id: owner });
  const answer = await valet.fetch(
    `${origin}/agent/v1/projects/${valet.projectId}/agent/revocations/`,
    {
      method: "POST",
      headers: { "x-api-key": valet.apiKey, "content-type": "application/json" },
      body: JSON.stringify({ targets: [{ owner }], block: true }),
    },
  );
  expect(answer.status).toBe(200);
  const query = new URLSearchParams({ project: valet.projectId, owner });
  const found = await lines(`?${query}`);
  expect(found).toMatchObject([
    { event: "owner.blocked", actor: `key:${valet.kid}`, network: "127.0.0.0/24" },
  ]);
  expect(JSON.stringify(await exported())).not.toContain("user-with-a-name");
});

test("who signs out is in it, and what was read into the knowledge base and taken out", async () => {
  const leaving = await account("lea");
  expect((await call("POST", "/admin/v1/auth/sign-out", { as: leaving, body: {} })).status).toBe(
    200,
  );
  const docs = mkdtempSync(join(tmpdir(), "valet-audit-"));
  writeFileSync(join(docs, "page.md"), "# Page\n\nA text.\n");
  const path = `/projects/${valet.projectId}`;
  for await (const _ of valet.control.lines(`${path}/ingest`, { path: docs }));
  const { sources } = await valet.control.get<{ sources: { id: string }[] }>(`${path}/sources`);
  const id = sources[0]?.id;
  await valet.control.delete(`${path}/sources/${id}`);
  rmSync(docs, { recursive: true });
  const all = await exported();
  const of = (event: string) => all.filter((line) => line.event === event);
  expect(of("console.logout")).toMatchObject([{ actor: expect.stringMatching(/^person:/) }]);
  expect(of("source.ingested")).toMatchObject([
    {
      actor: "command",
      target: id,
      project_id: valet.projectId,
      detail: { added: 1, failures: 0 },
    },
  ]);
  expect(of("source.removed")).toMatchObject([{ target: id, project_id: valet.projectId }]);
});

test("refusals, sign-ins and mints are in it, the frequent ones as counts", async () => {
  const token = await mintToken(valet);
  await ask(valet, token, "How do I rotate a key?");
  for (let at = 0; at < 5; at += 1) {
    const path = `${origin}/agent/v1/projects/${valet.projectId}/agent/session/`;
    const junk = { authorization: `Bearer ${token.slice(0, -1)}_` };
    expect((await valet.fetch(path, { headers: junk })).status).toBe(401);
  }
  const email = "ada@example.com";
  const signIn = (password: string) =>
    call("POST", "/admin/v1/auth/sign-in/email", { body: { email, password } });
  expect((await signIn("wrong password")).status).toBe(401);
  expect((await signIn("correct horse battery")).status).toBe(200);
  const all = await exported();
  const of = (event: string) => all.filter((line) => line.event === event);
  const network = "127.0.0.0/24";
  expect(of("auth.failed")).toMatchObject([
    { detail: { counts: [{ reason: "invalid_token", network, times: 5 }] } },
  ]);
  expect(of("console.failed")).toMatchObject([{ detail: { total: 1 } }]);
  expect(of("console.login")).toMatchObject([{ actor: expect.stringMatching(/^person:/) }]);
  const [minted] = of("session.minted");
  expect(minted?.detail?.keys).toHaveProperty(valet.kid);
  const made = ["team.created", "member.added", "project.created", "integration.created"];
  for (const event of [...made, "setup_link.created", "setup_link.used", "audit.exported"]) {
    expect(of(event).length, event).toBeGreaterThan(0);
  }
});

test("a team sees its own lines and no others, in lists and in exports", async () => {
  const mine = await lines("?limit=100");
  const theirs = await lines("?limit=100", strangerCookie);
  expect(mine.length).toBeGreaterThan(5);
  expect(theirs.length).toBeGreaterThan(0);
  const numbers = new Set(mine.map(({ n }) => n));
  expect(theirs.filter(({ n }) => numbers.has(n))).toEqual([]);
  const text = await (await call("GET", "/admin/v1/audit/export", { as: strangerCookie })).text();
  expect(text).not.toContain(valet.projectId);
  expect(text.trimEnd().split("\n").length).toBeGreaterThan(theirs.length);
  for (const path of ["/audit", "/audit/export"]) {
    for (const project of [valet.projectId, "prj_absent"]) {
      const as = strangerCookie;
      const answer = await call("GET", `/admin/v1${path}?project=${project}`, { as });
      expect(answer.status).toBe(404);
    }
  }
});

test("pages go back to the first line, and filters narrow them", async () => {
  const seen: number[] = [];
  let cursor = "";
  do {
    const path = `/admin/v1/audit?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const page = (await (await call("GET", path, { as: cookie })).json()) as {
      lines: Line[];
      next_cursor: string | null;
    };
    seen.push(...page.lines.map(({ n }) => n));
    cursor = page.next_cursor ?? "";
  } while (cursor !== "");
  expect(seen).toEqual([...new Set(seen)].sort((a, b) => b - a));
  expect(seen.length).toBe((await lines("?limit=100")).length);
  const keyLines = await lines("?event=key.*");
  expect(keyLines.length).toBeGreaterThan(0);
  expect(keyLines.every(({ event }) => event.startsWith("key."))).toBe(true);
  expect(await lines("?to=2001-01-01T00:00:00Z")).toEqual([]);
  expect((await lines("?from=2001-01-01T00:00:00Z&limit=100")).length).toBe(seen.length);
  const wrong = await call("GET", "/admin/v1/audit?evnt=x", { as: cookie });
  expect(wrong.status).toBe(400);
});

test("the whole of it verifies, and the log has an anchor", async () => {
  expect(await valet.control.post("/audit/verify", {})).toMatchObject({ ok: true, first: 1 });
  expect(valet.log()).toMatch(/"anchor":"\d+:[0-9a-f]{64}"/);
  const anchors = [{ n: 1, hash: "0".repeat(64) }];
  expect(await valet.control.post("/audit/verify", { anchors })).toMatchObject({
    ok: false,
    n: 1,
    fault: "not_anchored",
  });
});
