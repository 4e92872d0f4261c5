import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

/** What operators do with keys, over HTTP, from the control socket's side. */
const origin = "http://localhost:4747";
let valet: TestServer;
beforeAll(async () => {
  valet = await openTestServer({ VALET_TRUSTED_PROXIES: "10.0.0.0/8" });
});
afterAll(() => valet.close());

interface Key {
  readonly id: string;
  readonly state: string;
  readonly name: string;
  readonly replaced_by: string | null;
  readonly grace_until: string | null;
  readonly grace_calls: number;
  readonly last_used_at: string | null;
  readonly networks: readonly string[];
  readonly open_streams: number;
}
interface Made {
  readonly key: Key;
  readonly secret: string;
}

const keysPath = () => `/projects/${valet.projectId}/keys`;
const agentPath = (projectId = valet.projectId) => `/agent/v1/projects/${projectId}/agent`;
const makeKey = (body: object = {}) => valet.control.post<Made>(keysPath(), { name: "k", ...body });
const act = <Answer = { key: Key }>(id: string, what: string, body: object = {}) =>
  valet.control.post<Answer>(`${keysPath()}/${id}/${what}`, body);
const seen = async (id: string) =>
  (await valet.control.get<{ key: Key }>(`${keysPath()}/${id}`)).key;

interface CallOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** The other end of the connection. */
  readonly from?: string;
}

async function call(path: string, { method = "POST", body, headers, from }: CallOptions = {}) {
  const request = new Request(`${origin}${path}`, {
    method,
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const env = from && { incoming: { socket: { remoteAddress: from, destroyed: false } } };
  return valet.server.app.fetch(request, env || undefined);
}

const mint = (secret: string, options: CallOptions = {}) =>
  call(`${agentPath()}/sessions/`, {
    ...options,
    headers: { "x-api-key": secret, ...options.headers },
  });
const ask = (secret: string, body: object = {}, headers: Record<string, string> = {}) =>
  call(`${agentPath()}/chat/`, {
    headers: { "x-api-key": secret, ...headers },
    body: {
      messages: [{ id: "u_1", role: "user", parts: [{ type: "text", text: "Hello?" }] }],
      ...body,
    },
  });

async function outcome(answer: Response | Promise<Response>): Promise<string> {
  const { status, ok, body } = await answer;
  const text = body ? await new Response(body).text() : "";
  return ok ? String(status) : `${status} ${(JSON.parse(text) as { code: string }).code}`;
}

async function lookAt(token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  return outcome(call(`${agentPath()}/session/`, { method: "GET", headers }));
}

async function mintedToken(secret: string): Promise<string> {
  const answer = await mint(secret);
  return ((await answer.json()) as { session_token: string }).session_token;
}

test("a disabled key and its sessions are refused, and are good again when it is enabled", async () => {
  const { key, secret } = await makeKey();
  const token = await mintedToken(secret);
  const ended = await act<{ ended_sessions: number }>(key.id, "disable");
  expect(ended.ended_sessions).toBe(1);
  expect((await seen(key.id)).state).toBe("disabled");
  expect(await outcome(mint(secret))).toBe("401 key_disabled");
  expect(await lookAt(token)).toBe("401 token_revoked");
  await act(key.id, "enable");
  expect(await outcome(mint(secret))).toBe("201");
  expect(await lookAt(token)).toBe("200");
});

test("rotation keeps the old key for the overlap, and its sessions until they end or it is revoked", async () => {
  const { key, secret } = await makeKey();
  const token = await mintedToken(secret);
  const rotated = await act<Made & { replaced: Key }>(key.id, "rotate", { overlap_seconds: 60 });
  expect(rotated.replaced).toMatchObject({ replaced_by: rotated.key.id, state: "in_grace" });
  expect(rotated.replaced.last_used_at).not.toBeNull();
  expect(await outcome(mint(rotated.secret))).toBe("201");
  expect(await outcome(mint(secret))).toBe("201");
  expect((await seen(key.id)).grace_calls).toBe(1);
  await act(key.id, "end-grace");
  expect((await seen(key.id)).state).toBe("rotated");
  expect(await outcome(mint(secret))).toBe("401 key_rotated");
  expect(await lookAt(token)).toBe("200");
  await act(key.id, "revoke");
  expect(await lookAt(token)).toBe("401 token_revoked");
  expect(await outcome(mint(rotated.secret))).toBe("201");
});

test("a key ends when it expires, and the sessions made with it do not", async () => {
  const expires = new Date(valet.clock.ms + 60_000).toISOString();
  const { secret } = await makeKey({ expires_at: expires });
  const token = await mintedToken(secret);
  valet.clock.ms += 60_000;
  expect(await outcome(mint(secret))).toBe("401 key_expired");
  expect(await lookAt(token)).toBe("200");
});

test("a key is used from its addresses alone, as trusted proxies report them", async () => {
  const { key, secret } = await makeKey({ ip_allow: ["203.0.113.0/24", "2001:db8::/32"] });
  const from = (peer: string, forwarded?: string) =>
    outcome(
      mint(secret, {
        from: peer,
        ...(forwarded !== undefined && { headers: { "x-forwarded-for": forwarded } }),
      }),
    );
  expect(await from("203.0.113.7")).toBe("201");
  expect(await from("::ffff:203.0.113.7")).toBe("201");
  expect(await from("2001:db8::7")).toBe("201");
  expect(await from("198.51.100.1")).toBe("403 ip_not_allowed");
  expect(await from("198.51.100.1", "203.0.113.7")).toBe("403 ip_not_allowed");
  expect(await from("10.0.0.1", "203.0.113.7")).toBe("201");
  expect(await from("10.0.0.1", "203.0.113.7, 198.51.100.1")).toBe("403 ip_not_allowed");
  expect(await from("10.0.0.1", "203.0.113.7, unknown")).toBe("403 ip_not_allowed");
  expect((await seen(key.id)).networks).toContain("203.0.113.0/24");
  await valet.control.patch(`${keysPath()}/${key.id}`, { ip_allow: null, name: "open" });
  expect(await from("198.51.100.1")).toBe("201");
  expect((await seen(key.id)).name).toBe("open");
});

test("limits that mean nothing are refused by name, and change nothing", async () => {
  const { key } = await makeKey();
  const before = await seen(key.id);
  const bad: readonly (readonly [body: object, words: RegExp])[] = [
    [{ ip_allow: ["10.0.0.1", "10.0.0.0/33"] }, /ip_allow\[1\].*10\.0\.0\.0\/33/],
    [{ ip_allow: [] }, /ip_allow/],
    [{ expires_at: "2020-01-01T00:00:00Z" }, /expires_at.*to come/],
    [{ expires_at: "tomorrow" }, /expires_at/],
    [{ name: " " }, /name/],
    [{ digest: "x" }, /./],
    [{ project_id: "prj_other" }, /./],
    [{ scopes: ["introspect"] }, /./],
  ];
  for (const [body, words] of bad) {
    const changing = valet.control.patch(`${keysPath()}/${key.id}`, body);
    await expect(changing, JSON.stringify(body)).rejects.toThrow(words);
  }
  await expect(makeKey({ scopes: ["everything"] })).rejects.toThrow(/scopes/);
  await expect(act(key.id, "rotate", { overlap_seconds: 604_801 })).rejects.toThrow(/seven days/);
  expect(await seen(key.id)).toEqual(before);
});

test("a key with agent:direct asks without a session; its threads have no owner and are not listed", async () => {
  const { key, secret } = await makeKey({ scopes: ["agent:direct"] });
  const answer = await ask(secret);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('"type":"finish"');
  const threadId = answer.headers.get("x-thread-id") ?? "";
  const as = (path: string, options: CallOptions = {}) =>
    outcome(call(`${agentPath()}${path}`, { ...options, headers: { "x-api-key": secret } }));
  expect(await as(`/threads/${threadId}/`, { method: "GET" })).toBe("200");
  expect(await as("/threads/", { method: "GET" })).toBe("409 history_needs_owner");
  expect(await as(`/chat/${threadId}/stream/`, { method: "GET" })).toBe("204");
  expect(await as(`/chat/${threadId}/stop/`)).toBe("200");
  // The session's own routes are for sessions.
  expect(await as("/session/", { method: "GET" })).toBe("401 missing_credential");
  expect((await seen(key.id)).last_used_at).not.toBeNull();
});

test("a key asks for itself from servers only, with its own scope, in its own project, alone", async () => {
  const direct = await makeKey({ scopes: ["agent:direct"] });
  const plain = await makeKey();
  expect(await outcome(ask(plain.secret))).toBe("403 insufficient_scope");
  expect(await outcome(mint(direct.secret))).toBe("403 insufficient_scope");
  for (const headers of [{ origin: "https://app.example.com" }, { "sec-fetch-site": "none" }]) {
    expect(await outcome(ask(direct.secret, {}, headers))).toBe("403 api_key_in_browser");
  }
  const token = await mintedToken(plain.secret);
  const both = { authorization: `Bearer ${token}` };
  expect(await outcome(ask(direct.secret, {}, both))).toBe("400 ambiguous_credentials");
  const { project } = await valet.control.post<{ project: { id: string } }>("/projects", {
    name: "Other",
  });
  const foreign = call(`${agentPath(project.id)}/threads/`, {
    method: "GET",
    headers: { "x-api-key": direct.secret },
  });
  expect(await outcome(foreign)).toBe("404 not_found");
  for (const [what, code] of [
    ["disable", "401 key_disabled"],
    ["revoke", "401 key_revoked"],
  ] as const) {
    await act(direct.key.id, what);
    expect(await outcome(ask(direct.secret))).toBe(code);
  }
});

test("a key asks nothing of a project that is switched off, and nothing that the project does not allow", async () => {
  const { secret } = await makeKey({ scopes: ["agent:direct"] });
  const project = `/projects/${valet.projectId}`;
  await valet.control.post(`${project}/disable`);
  expect(await outcome(ask(secret))).toBe("403 project_disabled");
  await valet.control.post(`${project}/enable`);
  expect(await outcome(ask(secret))).toBe("200");
});

/** Each thing that a key may do, and a request that needs the right to do it. */
const needs: Readonly<Record<string, (secret: string) => Promise<Response>>> = {
  "sessions:create": (secret) => mint(secret),
  "sessions:read": (secret) =>
    call(`${agentPath()}/sessions/`, { method: "GET", headers: { "x-api-key": secret } }),
  "sessions:revoke": (secret) =>
    call(`${agentPath()}/revocations/`, {
      headers: { "x-api-key": secret },
      body: { targets: [{ owner: "nobody" }] },
    }),
  introspect: (secret) =>
    call(`${agentPath()}/sessions/introspect/`, {
      headers: { "x-api-key": secret },
      body: { token: "x" },
    }),
  "agent:direct": (secret) =>
    call(`${agentPath()}/threads/`, { method: "GET", headers: { "x-api-key": secret } }),
};
const visiting = (secret: string) => mint(secret, { body: { visitor_id: "v" } });

test("what a key can do is never more than its scopes say", async () => {
  const all = [...Object.keys(needs), "sessions:visitors"];
  await fc.assert(
    fc.asyncProperty(fc.subarray(all, { minLength: 1 }), async (scopes) => {
      // It is always the same visitor: the limit of a minute is not what is asked here.
      valet.clock.ms += 60_000;
      const { secret } = await makeKey({ scopes });
      for (const [scope, request] of Object.entries(needs)) {
        const isRefused = (await outcome(request(secret))) === "403 insufficient_scope";
        expect(isRefused, `${scope} with ${scopes.join(" ")}`).toBe(!scopes.includes(scope));
      }
      const mayVisit = scopes.includes("sessions:create") && scopes.includes("sessions:visitors");
      expect((await outcome(visiting(secret))) === "201").toBe(mayVisit);
    }),
    { numRuns: 30 },
  );
});

test("nothing in a request but the key says who it is", async () => {
  const mine = await makeKey({ scopes: ["sessions:create", "sessions:read", "agent:direct"] });
  const theirs = await makeKey({ scopes: ["sessions:revoke"] });
  const names = [
    "kid",
    "key",
    "key_id",
    "sid",
    "project_id",
    "projectId",
    "owner",
    "user",
    "scope",
  ];
  const spoken = fc.record({
    names: fc.subarray([...names, "external_owner_id", "direct", "x-forwarded-for"]),
    value: fc.constantFrom(theirs.key.id, `key_${theirs.key.id}`, "prj_other", "admin", "agent"),
  });
  await fc.assert(
    fc.asyncProperty(spoken, async ({ names: said, value }) => {
      const headers = Object.fromEntries(
        said.flatMap((name) => [
          [name.replaceAll("_", "-"), value],
          [`x-${name.replaceAll("_", "-")}`.replace("x-x-", "x-"), value],
        ]),
      );
      const query = said.map((name) => `${name}=${value}`).join("&");
      const session = await call(`${agentPath()}/sessions/?${query}`, {
        headers: { ...headers, "x-api-key": mine.secret },
      });
      expect(session.status).toBe(201);
      const { session_id } = (await session.json()) as { session_id: string };
      const row = await call(`${agentPath()}/sessions/${session_id}/?${query}`, {
        method: "GET",
        headers: { ...headers, "x-api-key": mine.secret },
      });
      expect(await row.json()).toMatchObject({ key_id: mine.key.id, external_owner_id: null });
      const threads = await call(`${agentPath()}/threads/?${query}`, {
        method: "GET",
        headers: { ...headers, "x-api-key": mine.secret },
      });
      expect(await outcome(threads)).toBe("409 history_needs_owner");
    }),
    { numRuns: 30 },
  );
});
