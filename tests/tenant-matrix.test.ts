import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../packages/server/src/database/database.ts";
import {
  openTwoTenants,
  origin,
  password,
  type Tenant,
  type TwoTenants,
} from "./support/two-tenants.ts";

let two: TwoTenants;
beforeAll(async () => {
  two = await openTwoTenants();
});
afterAll(() => two.close());

/** Ids as they look, of nothing. */
const absent = {
  projectId: "prj_0000000000000000",
  kid: "000000000000",
  integrationId: "int_0000000000000000",
  sid: "ses_0000000000000000000000",
  threadId: "thr_0000000000000000000000",
  documentId: "doc_0000000000000000",
};
type Ids = typeof absent;

/** Which id a parameter of a path stands for. A name that is not here fails the test. */
function idOf(path: string, parameter: string): keyof Ids {
  if (parameter === "id") return path.startsWith("/sources/") ? "documentId" : "threadId";
  if (parameter in absent) return parameter as keyof Ids;
  throw new Error(
    `Teach the matrix what :${parameter} of ${path} is, with one of it in each tenant.`,
  );
}

/** What routes need in their body before they look for anything. */
const bodies: Readonly<Record<string, unknown>> = {
  "POST /admin/v1/projects/:projectId/keys": { name: "x" },
  "POST /admin/v1/projects/:projectId/integrations": { name: "x" },
  "POST /admin/v1/projects/:projectId/owners/erase": { owner: "user-1" },
  "POST /admin/v1/projects/:projectId/keys/:kid/reveal": { password },
  "POST /agent/v1/projects/:projectId/agent/chat": {
    messages: [{ id: "u_1", role: "user", parts: [{ type: "text", text: "Hello?" }] }],
  },
  "POST /agent/v1/projects/:projectId/agent/threads/:id/feedback": {
    message_id: "msg_1",
    rating: "up",
  },
  "POST /agent/v1/projects/:projectId/agent/sessions/introspect": { token: "x" },
  "POST /agent/v1/projects/:projectId/agent/sessions/revoke": { token: "x" },
  "POST /agent/v1/projects/:projectId/agent/revocations": { targets: [{ owner: "user-1" }] },
};

/** Routes that name nothing by an id in their path. Ids elsewhere are tested by name below. */
const withoutIds = new Set([
  "GET /healthz",
  "GET /openapi.json",
  "GET /docs",
  "GET /admin/v1/setup",
  "POST /admin/v1/setup",
  "POST /admin/v1/auth/sign-in/email",
  "POST /admin/v1/auth/sign-out",
  "GET /admin/v1/auth/get-session",
  "GET /admin/v1/me",
  "GET /admin/v1/server",
  "GET /admin/v1/teams",
  "GET /admin/v1/projects",
  "POST /admin/v1/projects",
  "GET /admin/v1/audit",
  "GET /admin/v1/audit/export",
]);

function headersFor(path: string, { apiKey, token, cookie }: Tenant): Record<string, string> {
  if (path.startsWith("/admin/")) return { origin, cookie };
  if (/\/agent\/(sessions|revocations)/.test(path)) return { "x-api-key": apiKey };
  return { authorization: `Bearer ${token}` };
}

interface Told {
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
}

async function send(method: string, path: string, headers: object, body?: unknown): Promise<Told> {
  const answer = await two.valet.fetch(`${origin}${path}`, {
    method,
    headers: {
      ...headers,
      ...(body !== undefined && { "content-type": "application/json" }),
    } as Record<string, string>,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    headers: [...answer.headers.keys()].sort(),
    body: (await answer.text()).replace(/req_[0-9A-Za-z]{22}/g, "req"),
  };
}

function fill(path: string, ids: Ids): string {
  return path.replace(/:(\w+)/g, (_, parameter: string) => ids[idOf(path, parameter)]);
}

const isFile = (route: string) => /^GET (?:\/\*|\/favicon\.svg)$/.test(route);

const routesOf = () => {
  const all = two.valet.server.app.routes.filter(({ method }) => method !== "ALL");
  return [...new Map(all.map(({ method, path }) => [`${method} ${path}`, { method, path }]))];
};

test("every route is in the matrix, and what it does not need is not in it either", () => {
  // Files are the same for everybody, and some are there only once they are built.
  const plain = routesOf().filter(([name, { path }]) => !path.includes(":") && !isFile(name));
  expect(plain.map(([name]) => name).sort()).toEqual([...withoutIds].sort());
  const names = new Set(routesOf().map(([name]) => name));
  expect(Object.keys(bodies).filter((name) => !names.has(name))).toEqual([]);
});

test("with any id of another tenant every route answers 404, as with an id of nothing", async () => {
  const { ours, theirs } = two;
  let cases = 0;
  for (const [name, { method, path }] of routesOf()) {
    const parameters = [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => parameter ?? "");
    for (const parameter of parameters) {
      const id = idOf(path, parameter);
      const headers = headersFor(path, ours);
      const body = bodies[name] ?? (method === "GET" ? undefined : {});
      const foreign = fill(path, { ...ours, [id]: theirs[id] });
      const told = await send(method, foreign, headers, body);
      const nothing = fill(path, { ...ours, [id]: absent[id] });
      expect(told.status, `${name} with a foreign ${parameter}`).toBe(404);
      expect(told, `${name} with a foreign ${parameter}`).toEqual(
        await send(method, nothing, headers, body),
      );
      cases += 1;
    }
  }
  expect(cases).toBeGreaterThan(40);
});

test("a foreign id elsewhere than in the path is as good as none", async () => {
  const { ours, theirs } = two;
  const person = { origin, cookie: ours.cookie };
  const key = { "x-api-key": ours.apiKey };
  const session = { authorization: `Bearer ${ours.token}` };
  const agent = `/agent/v1/projects/${ours.projectId}/agent`;
  const question = {
    messages: [{ id: "u_1", role: "user", parts: [{ type: "text", text: "Hello?" }] }],
  };
  type Case = readonly [
    status: number,
    method: string,
    headers: object,
    of: (ids: Ids & { teamId: string; token: string }) => readonly [path: string, body?: unknown],
  ];
  const cases: readonly Case[] = [
    [404, "GET", person, (ids) => [`/admin/v1/audit?project=${ids.projectId}`]],
    [404, "GET", person, (ids) => [`/admin/v1/audit/export?project=${ids.projectId}`]],
    [400, "POST", person, (ids) => ["/admin/v1/projects", { name: "x", team_id: ids.teamId }]],
    [401, "GET", { cookie: ours.cookie }, (ids) => [`/sources/${ids.documentId}`]],
    [404, "POST", key, (ids) => [`${agent}/revocations`, { targets: [{ session: ids.sid }] }]],
    [400, "POST", key, (ids) => [`${agent}/sessions`, { integration_id: ids.integrationId }]],
    [200, "GET", key, (ids) => [`${agent}/sessions?key=${ids.kid}`]],
    [200, "POST", key, (ids) => [`${agent}/sessions/introspect`, { token: ids.token }]],
    [200, "POST", key, (ids) => [`${agent}/sessions/revoke`, { token: ids.token }]],
    [404, "POST", session, (ids) => [`${agent}/chat`, { ...question, id: ids.threadId }]],
  ];
  const nothing = { ...absent, teamId: "tem_0000000000000000", token: "S".repeat(64) };
  for (const [status, method, headers, of] of cases) {
    const [path, body] = of(theirs);
    const told = await send(method, path, headers, body);
    expect(told.status, `${method} ${path}`).toBe(status);
    expect(told, `${method} ${path}`).toEqual(
      await send(method, of(nothing)[0], headers, of(nothing)[1]),
    );
  }
  // The other tenant's session was asked about, and asked to be ended: it goes on.
  const theirPath = `/agent/v1/projects/${theirs.projectId}/agent/session`;
  expect((await send("GET", theirPath, { authorization: `Bearer ${theirs.token}` })).status).toBe(
    200,
  );
});

test("lists have what is one's own and nothing else", async () => {
  const { ours, theirs } = two;
  const secrets = [theirs.projectId, theirs.kid, theirs.integrationId, theirs.sid, theirs.threadId];
  const agent = `/agent/v1/projects/${ours.projectId}/agent`;
  const admin = `/admin/v1/projects/${ours.projectId}`;
  for (const path of [
    "/admin/v1/teams",
    "/admin/v1/projects",
    "/admin/v1/audit",
    "/admin/v1/audit/export",
    `${admin}/keys`,
    `${admin}/integrations`,
    `${agent}/sessions`,
    `${agent}/threads`,
  ]) {
    const told = await send("GET", path, headersFor(path, ours));
    expect(told.status, path).toBe(200);
    for (const secret of [...secrets, theirs.teamId]) expect(told.body, path).not.toContain(secret);
  }
});

/**
 * Statements on tables of projects that name no project, and why they need none. What is read once
 * at start, for every project, is not looked at.
 */
const unscoped: readonly (readonly [statement: RegExp, why: string])[] = [
  [/^update "api_key" .* where "kid" = \?/, "a key that has proved itself or was found by project"],
  [
    /^select \* from "session" where "digest" = \?$/,
    "a token is its own proof, and has its project",
  ],
  [
    /^select count\(\*\) as "count" from "session" where "kid" = \?/,
    "a key that was found by project",
  ],
  [
    /^delete from "\w+" where "\w+" in \(select .* "(expires_at_s|until_s|at_ms|updated_at_ms)" < /,
    "clean-up of what is over, in steps",
  ],
  [/^select "id" from "thread" where "deleted_at_ms" is not null and/, "clean-up"],
  [
    /delete from "thread" where \("id"\) in/,
    "threads that were found by project and owner, or that are over",
  ],
  [/delete from "run" where \("id"\) in/, "runs of threads that were found by project and owner"],
  [/^update "run" set .* where "id" = \?/, "a run that this server has begun itself"],
  [
    /^select \* from "run" where "id" = \? and "thread_id" = \?$/,
    "a thread that was found by project",
  ],
  [
    /^select "id", "project_id", "content_hash" from "document"$/,
    "what the index is compared with",
  ],
  [
    /^update "thread" set "updated_at_ms" = \? where "id" = \?/,
    "a thread that was found by project",
  ],
  [/^select "id" from "thread" where "id" = \?$/, "the lock of a thread that was found by project"],
  [/^select \* from "audit" where "n" > \? order by/, "the operator's export and verification"],
  [/^select "audit_head"\."n" as "headN", \(select max/, "where the chain ends"],
];

test("every statement on a table of projects says whose rows it means", async () => {
  const { ours, statements } = two;
  await doEverything(ours);
  const database = await openDatabase(":memory:");
  const tables = (await database.introspection.getTables())
    .filter(({ columns }) => columns.some(({ name }) => name === "project_id"))
    .map(({ name }) => name);
  await database.destroy();
  expect(tables).toEqual(expect.arrayContaining(["session", "api_key", "thread", "document"]));

  const isScoped = (sql: string) =>
    /\bwhere\b.*"project_id" (=|in) [?($]/s.test(sql) ||
    // The projects of a person's teams.
    /"team_member"\."person_id" = /.test(sql);
  const onTenants = [...statements].filter(
    (sql) =>
      !/^(insert|create|alter|drop|pragma)/i.test(sql) &&
      tables.some((table) => sql.includes(`"${table}"`)),
  );
  const bare = onTenants.map((sql) => sql.replace(/\$\d+/g, "?")).filter((sql) => !isScoped(sql));
  expect(bare.filter((sql) => !unscoped.some(([known]) => known.test(sql)))).toEqual([]);
  // The tour saw enough of the server for this to mean something.
  expect(onTenants.length).toBeGreaterThan(25);
  for (const table of [
    "session",
    "api_key",
    "thread",
    "document",
    "chunk",
    "source",
    "integration",
  ]) {
    expect(
      onTenants.some((sql) => sql.includes(`"${table}"`)),
      table,
    ).toBe(true);
  }
});

/** Calls every route with ids that are good, and what the command asks, so that every statement has been seen. */
async function doEverything(tenant: Tenant): Promise<void> {
  const { control } = two.valet;
  for (const path of ["/teams", "/projects", `/projects/${tenant.projectId}/sources`]) {
    await control.get(path);
  }
  await control.post("/audit/verify");
  for await (const _ of control.lines(`/audit/export?project=${tenant.projectId}`, {}));
  for await (const _ of control.lines("/audit/export", {}));
  const last = (name: string) => (/^DELETE|revoke$|disable$|erase$/.test(name) ? 1 : 0);
  const routes = routesOf()
    .filter(([name]) => name !== "POST /admin/v1/auth/sign-out" && name !== "GET /*")
    .sort(([one], [two]) => last(one) - last(two));
  for (const [name, { method, path }] of routes) {
    const body = bodies[name] ?? (method === "GET" ? undefined : {});
    const told = await send(
      method,
      fill(path, { ...absent, ...tenant }),
      headersFor(path, tenant),
      body,
    );
    expect(told.status, `${name} ${told.body}`).toBeLessThan(500);
  }
}
