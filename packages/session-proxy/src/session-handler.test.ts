import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createSessionHandler, type SessionHandlerOptions } from "./index.ts";
import type { SessionHandlerEvent } from "./options.ts";

const apiKey = "agk_live_secretsecret_verysecretindeed";
const reply = { session_token: "S".repeat(64), expires_at: "2030-01-01T00:00:00.000000Z", x: 1 };

/** A Valet server with switches. */
const upstream = {
  status: 201,
  headers: {} as Record<string, string>,
  body: JSON.stringify(reply),
  hangs: false,
  requests: [] as { url: string; key: string | undefined; body: string; all: string }[],
};
let server: Server;
let baseUrl: string;
let events: SessionHandlerEvent[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    upstream.requests.push({
      url: request.url ?? "",
      key: request.headers["x-api-key"] as string | undefined,
      body,
      all: JSON.stringify(request.headers) + body,
    });
    if (upstream.hangs) return;
    response.writeHead(upstream.status, upstream.headers).end(upstream.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  Object.assign(upstream, {
    status: 201,
    headers: {},
    body: JSON.stringify(reply),
    hangs: false,
    requests: [],
  });
  events = [];
});

const handler = (options: Partial<SessionHandlerOptions<{ id: string } | true>> = {}) =>
  createSessionHandler<{ id: string } | true>({
    apiKey,
    projectId: "prj_1",
    baseUrl,
    authorize: () => true,
    onError: (event) => events.push(event),
    ...options,
  });

const ask = (headers: Record<string, string> = {}, init: RequestInit = {}) =>
  new Request("https://app.example/api/session", {
    method: "POST",
    headers: { host: "app.example", ...headers },
    ...init,
  });

const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

test("a session passes through unchanged, and is not cached anywhere", async () => {
  upstream.body = ` ${JSON.stringify(reply, null, 3)}\n`;
  const answer = await handler()(ask());
  expect(answer.status).toBe(201);
  expect(await answer.text()).toBe(upstream.body);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(upstream.requests).toMatchObject([
    { url: "/agent/v1/projects/prj_1/agent/sessions/", key: apiKey, body: "{}" },
  ]);
});

test("who may chat and whose conversations they are comes from the app alone", async () => {
  const handle = handler({
    authorize: async (request) =>
      request.headers.get("cookie") === "user=7" ? { id: "7" } : undefined,
    owner: (_request, user) => (user === true ? undefined : `user-${user.id}`),
    integrationId: "int_1",
    ttlSeconds: 600,
  });
  const body = JSON.stringify({ external_owner_id: "somebody-else", projectId: "prj_2" });
  const smuggled = ask({ cookie: "user=7", "content-type": "application/json" }, { body });
  expect((await handle(smuggled)).status).toBe(201);
  expect(JSON.parse(upstream.requests[0]?.body ?? "")).toEqual({
    external_owner_id: "user-7",
    integration_id: "int_1",
    ttl_seconds: 600,
  });
  const refused = await handle(ask({ cookie: "user=8" }));
  expect(refused.status).toBe(401);
  expect(await codeOf(refused)).toBe("sign_in_required");
  expect(upstream.requests).toHaveLength(1);
});

test("authorize refuses with 401 or, if it says so, 403; and nothing is minted", async () => {
  for (const [said, status] of [
    [false, 401],
    [null, 401],
    [{ status: 401 }, 401],
    [{ status: 403 }, 403],
  ] as const) {
    const answer = await handler({ authorize: () => said as false })(ask());
    expect([said, answer.status]).toEqual([said, status]);
  }
  expect(upstream.requests).toHaveLength(0);
});

test("that a person was blocked is told to the page as what it is", async () => {
  upstream.status = 403;
  upstream.body = JSON.stringify({ code: "owner_blocked", status: 403 });
  const answer = await handler()(ask());
  expect([answer.status, await codeOf(answer)]).toEqual([403, "owner_blocked"]);
});

test.each([
  [400, 502, "session_upstream_rejected"],
  [401, 502, "session_upstream_rejected"],
  [403, 502, "session_upstream_rejected"],
  [404, 502, "session_upstream_rejected"],
  [413, 502, "session_upstream_rejected"],
  [500, 502, "session_upstream_unavailable"],
  [502, 502, "session_upstream_unavailable"],
  [429, 429, "rate_limited"],
  [503, 503, "unavailable"],
])("an upstream %i becomes %i %s", async (status, expected, code) => {
  upstream.status = status;
  upstream.headers = { "retry-after": "7" };
  upstream.body = JSON.stringify({ code: "key_revoked", status, detail: `key ${apiKey}` });
  const answer = await handler()(ask());
  expect(answer.status).toBe(expected);
  expect(answer.headers.get("retry-after")).toBe("7");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const text = await answer.text();
  expect(JSON.parse(text).code).toBe(code);
  expect(text).not.toContain(apiKey);
  expect(events).toMatchObject([{ code, upstreamStatus: status, upstreamCode: "key_revoked" }]);
  expect(JSON.stringify(events)).not.toContain(apiKey);
});

test("a server that is down is a 502, and one that hangs a 504 within the time limit", async () => {
  const down = await handler({ baseUrl: "http://127.0.0.1:9" })(ask());
  expect([down.status, await codeOf(down)]).toEqual([502, "session_upstream_unavailable"]);
  upstream.hangs = true;
  const hung = await handler({ timeoutMs: 50 })(ask());
  expect([hung.status, await codeOf(hung)]).toEqual([504, "session_upstream_timeout"]);
});

test("an upstream that redirects does not get the key sent elsewhere", async () => {
  upstream.status = 307;
  upstream.headers = { location: `${baseUrl}/elsewhere` };
  expect((await handler()(ask())).status).toBe(502);
  expect(upstream.requests).toHaveLength(1);
});

test("other sites' pages are refused, the app's own and allowed ones are not", async () => {
  const handle = handler({ allowedOrigins: ["https://docs.example"] });
  const status = async (headers: Record<string, string>) => (await handle(ask(headers))).status;
  expect(await status({})).toBe(201);
  expect(await status({ origin: "https://app.example", "sec-fetch-site": "same-origin" })).toBe(
    201,
  );
  expect(await status({ "sec-fetch-site": "same-origin" })).toBe(201);
  expect(await status({ origin: "https://evil.example" })).toBe(400);
  expect(await status({ origin: "null" })).toBe(400);
  expect(await status({ "sec-fetch-site": "cross-site" })).toBe(400);
  const allowed = await handle(ask({ origin: "https://docs.example" }));
  expect(allowed.status).toBe(201);
  expect(allowed.headers.get("access-control-allow-origin")).toBe("https://docs.example");
  const preflight = await handle(
    ask(
      { origin: "https://docs.example", "access-control-request-headers": "x-csrf" },
      { method: "OPTIONS" },
    ),
  );
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-headers")).toBe("x-csrf");
});

test("every method but POST is a 405 that says so", async () => {
  for (const method of ["GET", "PUT", "DELETE"]) {
    const answer = await handler()(ask({}, { method }));
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  }
  expect(upstream.requests).toHaveLength(0);
});

test("an authorize that throws is a 500 without its words", async () => {
  const answer = await handler({
    authorize: () => {
      throw new Error(`database password ${apiKey}`);
    },
  })(ask());
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain("password");
  expect(events).toMatchObject([{ code: "internal_error" }]);
});

test("anonymous visitors keep their identity by a cookie that scripts cannot read", async () => {
  const handle = handler({ authorize: "public", clientIp: () => "203.0.113.9" });
  const first = await handle(ask());
  const cookie = first.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/; HttpOnly; SameSite=Lax; Secure$/);
  const again = await handle(ask({ cookie: `a=b; ${cookie.split(";")[0]}` }));
  expect(again.headers.get("set-cookie")).toBeNull();
  const [one, two] = upstream.requests.map(({ body }) => JSON.parse(body));
  expect(one).toEqual({ visitor_id: two.visitor_id, visitor_ip: "203.0.113.9" });
});

test("a visitor cookie with one changed character is nobody's", async () => {
  const handle = handler({ authorize: "public" });
  const issued = (await handle(ask())).headers.get("set-cookie")?.split(";")[0] ?? "";
  const value = issued.split("=")[1] ?? "";
  await fc.assert(
    fc.asyncProperty(
      fc.nat(value.length - 1),
      fc.constantFrom(..."0123456789abcdef.g"),
      async (at, c) => {
        fc.pre(value[at] !== c);
        const forged = `${value.slice(0, at)}${c}${value.slice(at + 1)}`;
        const answer = await handle(ask({ cookie: `valet_visitor=${forged}` }));
        expect(answer.headers.get("set-cookie")).not.toBeNull();
      },
    ),
    { numRuns: 60 },
  );
});

test("wrong options are told at once, and the key is not repeated", () => {
  const wrong: Partial<SessionHandlerOptions>[] = [
    { apiKey: "" },
    { apiKey: `${apiKey}\n` },
    { projectId: "a/b" },
    { baseUrl: "nowhere" },
    { baseUrl: "ftp://x" },
    { authorize: undefined as never },
    { allowedOrigins: ["https://a.example/path"] },
  ];
  for (const options of wrong) {
    expect(() => handler(options as never)).toThrow(TypeError);
    expect(() => handler(options as never)).not.toThrow(apiKey);
  }
});
