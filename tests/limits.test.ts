import { agentPath, type Problem, type SessionReply, type SessionStatus } from "@valet/protocol";
import { createSessionHandler } from "@valet/session-proxy";
import { afterEach, expect, test } from "vitest";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

let place: TestServer | undefined;
afterEach(async () => {
  await place?.close();
  place = undefined;
});

async function open() {
  place = await openTestServer();
  const here = place;
  const base = `http://valet${agentPath(here.projectId)}`;
  const post = (path: string, body: unknown, headers: Record<string, string>) =>
    here.fetch(`${base}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const key = { "x-api-key": here.apiKey };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const mint = (body: unknown = {}, with_ = key) => post("/sessions/", body, with_);
  const tokenOf = async (body: unknown = {}) =>
    ((await (await mint(body)).json()) as SessionReply).session_token;
  let questions = 0;
  return {
    ...here,
    base,
    bearer,
    mint,
    tokenOf,
    post,
    key,
    settings: (settings: unknown) =>
      here.server.control.request(`http://valet/projects/${here.projectId}/settings`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(settings),
      }),
    /** Asks and reads the answer to its end. */
    async ask(token: string, more: Record<string, unknown> = {}) {
      questions += 1;
      const parts = [{ type: "text", text: "How do I rotate a key?" }];
      const messages = [{ id: `u_${questions}`, role: "user", parts }];
      const answer = await post("/chat/", { messages, ...more }, bearer(token));
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text };
    },
    whoAmI: (token: string, more: Record<string, string> = {}) =>
      here.fetch(`${base}/session/`, { headers: { ...bearer(token), ...more } }),
  };
}

const problemOf = async (answer: Response) => (await answer.json()) as Problem;

test("a key makes its burst of sessions, then as many as refill, and each answer says what is left", async () => {
  const { mint, clock } = await open();
  const first = await mint();
  expect(first.status).toBe(201);
  expect(first.headers.get("ratelimit-policy")).toBe('"mint-key";q=600;w=60');
  expect(first.headers.get("ratelimit")).toBe('"mint-key";r=99;t=1');
  for (let made = 1; made < 100; made += 1) expect((await mint()).status).toBe(201);
  const refused = await mint();
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(refused.headers.get("ratelimit")).toBe('"mint-key";r=0;t=1');
  expect(await problemOf(refused)).toMatchObject({
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    code: "quota_exceeded",
    status: 429,
    "violated-policies": ["mint-key"],
  });
  clock.ms += 200;
  expect((await mint()).status).toBe(201);
  expect((await mint()).status).toBe(201);
  expect((await mint()).status).toBe(429);
});

test("an owner is given 30 sessions a minute; what is refused for one costs the key nothing", async () => {
  const { mint } = await open();
  for (let made = 0; made < 30; made += 1) {
    expect((await mint({ external_owner_id: "jo" })).status).toBe(201);
  }
  const left = /"mint-key";r=(\d+)/;
  const before = left.exec((await mint()).headers.get("ratelimit") ?? "")?.[1];
  for (let time = 0; time < 50; time += 1) {
    const refused = await mint({ external_owner_id: "jo" });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("2");
    expect((await problemOf(refused))["violated-policies"]).toEqual(["mint-owner"]);
  }
  const after = left.exec(
    (await mint({ external_owner_id: "kim" })).headers.get("ratelimit") ?? "",
  )?.[1];
  expect(Number(after)).toBe(Number(before) - 1);
});

test("a session asks 60 questions a minute; tool outputs, attaching and history have a count of their own", async () => {
  const { ask, tokenOf, post, bearer, base, whoAmI, fetch, clock } = await open();
  const token = await tokenOf();
  const first = await ask(token);
  expect(first.status).toBe(200);
  expect(first.headers.get("ratelimit")).toBe('"session";r=59;t=1, "project";r=5999;t=1');
  for (let asked = 1; asked < 60; asked += 1) expect((await ask(token)).status).toBe(200);
  const refused = await ask(token);
  expect(refused.status).toBe(429);
  expect(refused.headers.get("access-control-allow-origin")).toBe("*");
  expect(refused.headers.get("access-control-expose-headers")).toContain("ratelimit-policy");
  expect(JSON.parse(refused.text)["violated-policies"]).toEqual(["session"]);
  // Outputs of calls that nobody made are refused for what they are, not for how many came.
  const outputs = [{ toolCallId: "call_1", output: 1 }];
  const continued = await post("/chat/", { toolOutputs: outputs }, bearer(token));
  expect(continued.status).toBe(400);
  expect(continued.headers.get("ratelimit-policy")).toBe('"session-requests";q=600;w=60');
  const attached = await fetch(`${base}/chat/thr_x/stream/`, { headers: bearer(token) });
  expect(attached.headers.get("ratelimit-policy")).toBe('"session-requests";q=600;w=60');
  for (let request = 2; request < 600; request += 1) {
    expect((await whoAmI(token)).status).toBe(200);
  }
  expect((await whoAmI(token)).status).toBe(429);
  clock.ms += 1_000;
  expect((await ask(token)).status).toBe(200);
  expect((await ask(token)).status).toBe(429);
});

test("all sessions of an owner share a limit, and no made-up id gives a request a fresh count", async () => {
  const { settings, tokenOf, ask, base, fetch, bearer } = await open();
  await settings({ limits: { owner: { per_minute: 3 } } });
  const tokens = [
    await tokenOf({ external_owner_id: "jo" }),
    await tokenOf({ external_owner_id: "jo" }),
  ];
  for (let asked = 0; asked < 3; asked += 1) {
    expect((await ask(tokens[asked % 2] as string)).status).toBe(200);
  }
  const refused = await ask(tokens[1] as string, { user: { id: "another" } });
  expect(JSON.parse(refused.text)["violated-policies"]).toEqual(["owner"]);
  for (const name of ["x-owner", "x-user-id", "x-forwarded-for", "external-owner-id"]) {
    const again = await fetch(`${base}/chat/`, {
      method: "POST",
      headers: {
        ...bearer(tokens[0] as string),
        "content-type": "application/json",
        [name]: "203.0.113.9",
      },
      body: JSON.stringify({
        messages: [{ id: name, role: "user", parts: [{ type: "text", text: "Hi" }] }],
      }),
    });
    expect(again.status).toBe(429);
  }
  expect((await ask(await tokenOf({ external_owner_id: "kim" }))).status).toBe(200);
});

test("a project has a limit that all its people share", async () => {
  const { settings, tokenOf, ask } = await open();
  await settings({ limits: { project: { per_minute: 2 } } });
  const [one, two] = [await tokenOf(), await tokenOf()];
  expect((await ask(one)).status).toBe(200);
  expect((await ask(two)).status).toBe(200);
  const refused = await ask(await tokenOf());
  expect(JSON.parse(refused.text)["violated-policies"]).toEqual(["project"]);
  expect(refused.headers.get("retry-after")).toBe("30");
});

test("refused credentials count by address; after 60 in a minute they are told so, and a good one is served", async () => {
  const { whoAmI, tokenOf, mint, clock } = await open();
  const token = await tokenOf();
  const junk = "S".padEnd(64, "x");
  for (let tried = 0; tried < 59; tried += 1) {
    const refused = await whoAmI(junk);
    expect((await problemOf(refused)).code).toBe("invalid_token");
  }
  expect((await mint({}, { "x-api-key": "agk_live_nonsense" })).status).toBe(401);
  const tooMany = await whoAmI(junk);
  expect(tooMany.status).toBe(429);
  expect(tooMany.headers.get("retry-after")).toBe("1");
  expect(tooMany.headers.get("www-authenticate")).toBeNull();
  expect(tooMany.headers.get("access-control-allow-origin")).toBe("*");
  expect(tooMany.headers.get("ratelimit-policy")).toBe('"auth-failures";q=60;w=60');
  expect(await problemOf(tooMany)).toMatchObject({
    code: "abnormal_usage",
    type: "https://iana.org/assignments/http-problem-types#abnormal-usage-detected",
    "violated-policies": ["auth-failures"],
  });
  expect((await mint({}, { "x-api-key": "agk_live_nonsense" })).status).toBe(429);
  expect((await whoAmI(token)).status).toBe(200);
  expect((await mint()).status).toBe(201);
  clock.ms += 1_000;
  expect((await whoAmI(junk)).status).toBe(401);
  expect((await whoAmI(junk)).status).toBe(429);
});

test("a token whose time is over is no guess, however often it comes", async () => {
  const { whoAmI, tokenOf, clock } = await open();
  const token = await tokenOf();
  clock.ms += 3_601_000;
  for (let tried = 0; tried < 100; tried += 1) {
    expect((await problemOf(await whoAmI(token))).code).toBe("token_expired");
  }
});

test("introspection has a limit for each key, apart from minting", async () => {
  const { settings, control, projectId, tokenOf, post } = await open();
  await settings({ limits: { introspect: { per_minute: 2 } } });
  const { secret } = await control.post<{ secret: string }>(`/projects/${projectId}/keys`, {
    name: "Gateway",
    scopes: ["introspect"],
  });
  const ask = async () =>
    post("/sessions/introspect/", { token: await tokenOf() }, { "x-api-key": secret });
  expect((await ask()).headers.get("ratelimit")).toBe('"introspect";r=1;t=30');
  expect((await ask()).status).toBe(200);
  const refused = await ask();
  expect(refused.status).toBe(429);
  expect(await problemOf(refused)).toMatchObject({ error: "temporarily_unavailable" });
});

test("what else a key asks has a limit of its own, and says where it stands", async () => {
  const { settings, control, projectId, tokenOf, post } = await open();
  await settings({ limits: { key_requests: { per_minute: 2 } } });
  const { secret } = await control.post<{ secret: string }>(`/projects/${projectId}/keys`, {
    name: "Gateway",
    scopes: ["sessions:revoke"],
  });
  const key = { "x-api-key": secret };
  const revoke = async () => post("/sessions/revoke/", { token: await tokenOf() }, key);
  expect((await revoke()).headers.get("ratelimit")).toBe('"key-requests";r=1;t=30');
  expect((await revoke()).status).toBe(200);
  expect((await revoke()).status).toBe(429);
  const refused = await post("/revocations/", { targets: [{ project: true }] }, key);
  expect(await problemOf(refused)).toMatchObject({ status: 429, code: "quota_exceeded" });
});

test("a visitor who drops the cookie is a new visitor at the same address", async () => {
  const { settings, mint, tokenOf, ask } = await open();
  await settings({
    limits: { mint_visitor_address: { per_minute: 4 }, visitor_address: { per_minute: 3 } },
  });
  const visitor = (name: string) => ({ visitor_id: name, visitor_ip: "2001:db8:1:2:3::4" });
  for (let asked = 0; asked < 3; asked += 1) {
    expect((await ask(await tokenOf(visitor(`cookie ${asked}`)))).status).toBe(200);
  }
  const fresh = await tokenOf({ visitor_id: "cookie 4", visitor_ip: "2001:db8:1:2:ffff::9" });
  const refused = await ask(fresh);
  expect(JSON.parse(refused.text)["violated-policies"]).toEqual(["visitor-address"]);
  const another = await mint(visitor("cookie 5"));
  expect(another.status).toBe(429);
  expect((await problemOf(another))["violated-policies"]).toEqual(["mint-visitor-address"]);
  expect((await mint({ visitor_id: "v", visitor_ip: "203.0.113.7" })).status).toBe(201);
});

test("a session lives as long as the project allows, and a longer wish is told the maximum", async () => {
  const { settings, mint, clock, whoAmI } = await open();
  const refused = await mint({ ttl_seconds: 3_601 });
  expect(refused.status).toBe(400);
  expect(await problemOf(refused)).toMatchObject({
    field: "ttl_seconds",
    detail: "ttl_seconds: The project's maximum is 3600.",
  });
  await settings({ max_session_seconds: 86_400 });
  const reply = (await (await mint({ ttl_seconds: 86_400 })).json()) as SessionReply;
  expect(reply.expires_in).toBe(86_400);
  expect(((await (await mint()).json()) as SessionReply).expires_in).toBe(3_600);
  clock.ms += 86_000_000;
  expect((await whoAmI(reply.session_token)).status).toBe(200);
  await settings({ max_session_seconds: 600 });
  expect(((await (await mint()).json()) as SessionReply).expires_in).toBe(600);
});

test("a page is let in by the project's list and by the session's, and each can only narrow", async () => {
  const { settings, tokenOf, whoAmI } = await open();
  const any = await tokenOf();
  const narrow = await tokenOf({ origins: ["https://a.example"] });
  expect((await whoAmI(any, { origin: "https://z.example" })).status).toBe(200);
  await settings({ allowed_origins: ["https://a.example", "https://b.example"] });
  const refused = await whoAmI(any, { origin: "https://z.example" });
  expect(refused.status).toBe(403);
  expect((await problemOf(refused)).code).toBe("origin_not_allowed");
  expect((await whoAmI(any, { origin: "https://b.example" })).status).toBe(200);
  expect((await whoAmI(narrow, { origin: "https://a.example" })).status).toBe(200);
  expect((await whoAmI(narrow, { origin: "https://b.example" })).status).toBe(403);
  await settings({ allowed_origins: ["https://b.example"] });
  expect((await whoAmI(narrow, { origin: "https://a.example" })).status).toBe(403);
  expect((await whoAmI(narrow)).status).toBe(200);
});

test("a project that is switched off refuses every session and makes none, until it is on again", async () => {
  const { server, projectId, tokenOf, mint, whoAmI } = await open();
  const token = await tokenOf();
  const turn = (verb: string) =>
    server.control.request(`http://valet/projects/${projectId}/${verb}`, { method: "POST" });
  expect((await turn("disable")).status).toBe(200);
  const refused = await whoAmI(token);
  expect(refused.status).toBe(401);
  expect((await problemOf(refused)).code).toBe("token_revoked");
  const mintRefused = await mint();
  expect(mintRefused.status).toBe(403);
  expect((await problemOf(mintRefused)).code).toBe("project_disabled");
  await turn("enable");
  expect((await whoAmI(token)).status).toBe(200);
  expect((await mint()).status).toBe(201);
});

test("an integration that is switched off takes its own sessions with it and no others", async () => {
  const { server, projectId, integrationId, tokenOf, mint, whoAmI, ask } = await open();
  const bound = await tokenOf({ integration_id: integrationId });
  const free = await tokenOf();
  const turn = (verb: string, id = integrationId) =>
    server.control.request(`http://valet/projects/${projectId}/integrations/${id}/${verb}`, {
      method: "POST",
    });
  expect((await turn("disable", "int_of_nobody")).status).toBe(404);
  await turn("disable");
  expect((await whoAmI(bound)).status).toBe(401);
  expect((await whoAmI(free)).status).toBe(200);
  const refused = await mint({ integration_id: integrationId });
  expect((await problemOf(refused)).code).toBe("integration_disabled");
  const borrowed = await ask(free, { integrationId });
  expect(JSON.parse(borrowed.text).code).toBe("integration_disabled");
  await turn("enable");
  expect((await whoAmI(bound)).status).toBe(200);
});

test("what a session may use of its own is told to it", async () => {
  const { tokenOf, whoAmI } = await open();
  const token = await tokenOf({ limits: { turns: 7 } });
  const status = (await (await whoAmI(token)).json()) as SessionStatus;
  expect(status.limits).toEqual({ turns: 7, model_tokens: null, streams: null });
});

test("a session is told what is left of its turns, by itself and by its key, and then gets no more", async () => {
  const { tokenOf, whoAmI, ask, base, key, fetch, clock, control, projectId, kid } = await open();
  const token = await tokenOf({ limits: { turns: 2 }, external_owner_id: "jo" });
  expect((await ask(token)).status).toBe(200);
  const own = (await (await whoAmI(token)).json()) as SessionStatus;
  expect(own.left).toEqual({ turns: 1, model_tokens: null });
  const look = async () => {
    const answer = await fetch(`${base}/sessions/${own.session_id}/`, { headers: key });
    return (await answer.json()) as Record<string, unknown>;
  };
  expect(await look()).toMatchObject({
    status: "active",
    limits: { turns: 2, model_tokens: null, streams: null },
    left: { turns: 1, model_tokens: null },
    rates: [
      { policy: "session", quota: 60, window_seconds: 60, remaining: 59, reset_seconds: 1 },
      { policy: "owner", quota: 120, window_seconds: 60, remaining: 119, reset_seconds: 1 },
      { policy: "project", quota: 6000, window_seconds: 60, remaining: 5999, reset_seconds: 1 },
      {
        policy: "session-requests",
        quota: 600,
        window_seconds: 60,
        remaining: 599,
        reset_seconds: 1,
      },
    ],
  });
  expect((await ask(token)).status).toBe(200);
  const refused = await ask(token);
  expect(refused.status).toBe(429);
  expect(JSON.parse(refused.text)).toMatchObject({
    code: "budget_exhausted",
    "violated-policies": ["session-turns"],
  });
  clock.ms += 3_601_000;
  expect((await look()).status).toBe("expired");
  await control.post(`/projects/${projectId}/keys/${kid}/revoke`);
});

test("of many questions at the same time, a session is answered as many as it has turns", async () => {
  const { tokenOf, ask } = await open();
  const token = await tokenOf({ limits: { turns: 5 } });
  const statuses = (await Promise.all(Array.from({ length: 15 }, () => ask(token)))).map(
    ({ status }) => status,
  );
  expect(statuses.filter((status) => status === 200)).toHaveLength(5);
  expect(statuses.filter((status) => status === 429)).toHaveLength(10);
});

test("a visitor has 20 turns unless the mint says fewer, and all visitors together a cap a day", async () => {
  const { settings, tokenOf, ask, whoAmI, clock } = await open();
  const visitor = (name: string) => ({ visitor_id: name, visitor_ip: "203.0.113.7" });
  const limitOf = async (body: unknown) =>
    ((await (await whoAmI(await tokenOf(body))).json()) as SessionStatus).limits.turns;
  expect(await limitOf(visitor("a"))).toBe(20);
  expect(await limitOf({ ...visitor("a"), limits: { turns: 500 } })).toBe(20);
  expect(await limitOf({ ...visitor("a"), limits: { turns: 3 } })).toBe(3);
  expect(await limitOf({})).toBeNull();
  await settings({ visitors: { turns_per_day: 2 } });
  expect((await ask(await tokenOf(visitor("b")))).status).toBe(200);
  expect((await ask(await tokenOf(visitor("c")))).status).toBe(200);
  const refused = await ask(await tokenOf(visitor("d")));
  expect(refused.status).toBe(429);
  expect(JSON.parse(refused.text)).toMatchObject({
    code: "quota_exceeded",
    "violated-policies": ["visitor-turns-per-day"],
  });
  const wait = Number(refused.headers.get("retry-after"));
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(86_400);
  expect((await ask(await tokenOf({ external_owner_id: "jo" }))).status).toBe(200);
  clock.ms += wait * 1000;
  expect((await ask(await tokenOf(visitor("d")))).status).toBe(200);
});

test("settings that are wrong are refused by their field, and what is set is told with the defaults", async () => {
  const { settings } = await open();
  const wrong = await settings({ limits: { session: { per_minute: 0 } } });
  expect(wrong.status).toBe(400);
  expect(await problemOf(wrong)).toMatchObject({ field: "limits.session.per_minute" });
  const unknown = await settings({ retention: 5 });
  expect(await problemOf(unknown)).toMatchObject({ code: "unknown_field", field: "retention" });
  const set = await settings({ retention_days: 30 });
  expect(await set.json()).toMatchObject({
    settings: { retention_days: 30, limits: { mint_key: { per_minute: 600, burst: 100 } } },
    defaults: { retention_days: 90 },
    disabled: false,
  });
});

test("a public page's visitor who comes without a cookie each time is stopped at the address, and told how long", async () => {
  const { apiKey, projectId, fetch } = await open();
  const handle = createSessionHandler({
    apiKey,
    projectId,
    baseUrl: "http://valet",
    authorize: "public",
    clientIp: () => "203.0.113.7",
    fetch,
  });
  const visit = () => handle(new Request("http://docs.example/api/session", { method: "POST" }));
  for (let visits = 0; visits < 30; visits += 1) expect((await visit()).status).toBe(201);
  const refused = await visit();
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("2");
  expect((await problemOf(refused)).code).toBe("rate_limited");
});

test("a page of documentation is opened from the project's pages alone, and counts as a request", async () => {
  const { settings, tokenOf, fetch, bearer } = await open();
  await settings({ allowed_origins: ["https://a.example"] });
  const token = await tokenOf();
  const ask = (origin: string) =>
    fetch("http://valet/sources/doc_x/ticket", {
      method: "POST",
      headers: { ...bearer(token), origin },
    });
  const refused = await ask("https://z.example");
  expect(refused.status).toBe(403);
  expect(refused.headers.get("access-control-allow-origin")).toBe("*");
  const absent = await ask("https://a.example");
  expect(absent.status).toBe(404);
  expect(absent.headers.get("ratelimit")).toBe('"session-requests";r=599;t=1');
});

test("a mint that is refused has been counted, so that nobody asks more often by being refused", async () => {
  const { mint, post, key, control, projectId } = await open();
  const body = { external_owner_id: "blocked" };
  await post("/revocations/", { targets: [{ owner: "blocked" }], block: true }, key);
  const statuses = async (times: number) => {
    const answers = [];
    for (let time = 0; time < times; time += 1) answers.push((await mint(body)).status);
    return answers;
  };
  expect(await statuses(31)).toEqual([...Array(30).fill(403), 429]);
  // The refused one took nothing from the key, and other owners are made for as ever.
  const other = await mint({ external_owner_id: "other" });
  expect(other.status).toBe(201);
  expect(other.headers.get("ratelimit")).toContain('"mint-key";r=69');
  // What cannot be read is not counted.
  expect((await mint({ unknown: 1 })).status).toBe(400);
  expect((await mint({ external_owner_id: "other" })).headers.get("ratelimit")).toContain("r=68");
  await control.post(`/projects/${projectId}/disable`);
  const off = await mint({ external_owner_id: "third" });
  expect(off.status).toBe(403);
  expect(off.headers.get("ratelimit")).toContain('"mint-owner";r=29');
});
