import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

/** OAuth clients that know nothing of Valet, over HTTP: RFC 7662 and RFC 7009. */
let t: TestServer;
let server: Server;
let base: string;
let as: oauth.AuthorizationServer;
let client: oauth.Client;
let secret: string;

beforeAll(async () => {
  t = await openTestServer();
  server = serve({ fetch: t.server.app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
  if (!server.listening) await new Promise<void>((resolve) => server.once("listening", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/agent/v1/projects/${t.projectId}/agent`;
  as = {
    issuer: "http://127.0.0.1/",
    introspection_endpoint: `${base}/sessions/introspect/`,
    revocation_endpoint: `${base}/sessions/revoke/`,
  };
  const made = await t.control.post<{ id: string; secret: string }>(
    `/projects/${t.projectId}/keys`,
    { name: "Gateway", scopes: ["introspect", "sessions:revoke"] },
  );
  client = { client_id: made.id };
  secret = made.secret;
});
afterAll(async () => {
  server?.close();
  await t?.close();
});

async function mint(body: object = {}): Promise<{ session_token: string; session_id: string }> {
  const answer = await fetch(`${base}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": t.apiKey, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as { session_token: string; session_id: string };
}

const insecure = { [oauth.allowInsecureRequests]: true };
async function introspect(token: string, withSecret = secret) {
  const auth = oauth.ClientSecretBasic(withSecret);
  const answer = await oauth.introspectionRequest(as, client, auth, token, insecure);
  return oauth.processIntrospectionResponse(as, client, answer);
}

test("an OAuth client learns what a token is, and of one that is no good nothing but that", async () => {
  const { session_token: token, session_id } = await mint({ external_owner_id: "jo" });
  expect(await introspect(token)).toMatchObject({
    active: true,
    token_type: "Bearer",
    scope: "agent",
    sub: "jo",
    client_id: t.kid,
    exp: expect.any(Number),
    iat: expect.any(Number),
    session_id,
    project_id: t.projectId,
  });
  const other = await openTestServer();
  const foreign = await other.fetch(
    `http://valet/agent/v1/projects/${other.projectId}/agent/sessions/`,
    { method: "POST", headers: { "x-api-key": other.apiKey } },
  );
  const { session_token: foreignToken } = (await foreign.json()) as { session_token: string };
  await other.close();
  for (const bad of ["nonsense", `S${"x".repeat(63)}`, foreignToken, secret]) {
    expect(await introspect(bad)).toEqual({ active: false });
  }
});

test("an OAuth client ends a token; ending what is not there is no error", async () => {
  const { session_token: token } = await mint();
  const auth = oauth.ClientSecretBasic(secret);
  for (const each of [token, token, "nonsense"]) {
    const answer = await oauth.revocationRequest(as, client, auth, each, insecure);
    await oauth.processRevocationResponse(answer);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  }
  expect(await introspect(token)).toEqual({ active: false });
  const own = await fetch(`${base}/session/`, { headers: { authorization: `Bearer ${token}` } });
  expect([own.status, ((await own.json()) as { code: string }).code]).toEqual([
    401,
    "token_revoked",
  ]);
});

test("a client that may not ask is told so in OAuth's words and in ours", async () => {
  const { session_token: token } = await mint();
  const wrong = introspect(token, `${secret.slice(0, -1)}${secret.endsWith("0") ? "1" : "0"}`);
  await expect(wrong).rejects.toBeInstanceOf(oauth.WWWAuthenticateChallengeError);

  const ask = (init: RequestInit) =>
    fetch(`${base}/sessions/introspect`, { method: "POST", ...init });
  const form = new URLSearchParams({ token });
  for (const [init, status, code, error] of [
    [{ body: form }, 401, "missing_credential", "invalid_client"],
    [{ body: form, headers: { "x-api-key": "x" } }, 401, "invalid_api_key", "invalid_client"],
    [
      { body: form, headers: { "x-api-key": t.apiKey } },
      403,
      "insufficient_scope",
      "unauthorized_client",
    ],
    [
      { body: new URLSearchParams(), headers: { "x-api-key": secret } },
      400,
      "invalid_request",
      "invalid_request",
    ],
    [
      {
        body: new URLSearchParams([
          ["token", "a"],
          ["token", "b"],
        ]),
        headers: { "x-api-key": secret },
      },
      400,
      "invalid_request",
      "invalid_request",
    ],
    [
      { body: form, headers: { "x-api-key": secret, origin: "https://a.test" } },
      403,
      "api_key_in_browser",
      "unauthorized_client",
    ],
  ] as const) {
    const answer = await ask(init);
    expect([answer.status, await answer.json()]).toEqual([
      status,
      expect.objectContaining({ code, error }),
    ]);
    if (status === 401) expect(answer.headers.get("www-authenticate")).toContain("Basic");
  }
  // JSON is as good as a form.
  const json = await ask({
    body: JSON.stringify({ token, token_type_hint: "access_token", extra: 1 }),
    headers: { "x-api-key": secret, "content-type": "application/json" },
  });
  expect(await json.json()).toMatchObject({ active: true });
});

test("a server ends an owner's sessions and keeps the owner out, over HTTP", async () => {
  const revoke = (body: object) =>
    fetch(`${base}/revocations/`, {
      method: "POST",
      headers: { "x-api-key": t.apiKey, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const { session_token: token, session_id: session } = await mint({ external_owner_id: "kim" });
  const blocked = await revoke({ targets: [{ owner: "kim" }], block: true, reason: "spam" });
  expect([blocked.status, await blocked.json()]).toEqual([200, { revoked: 1, ended_streams: 0 }]);
  expect(await introspect(token)).toEqual({ active: false });
  expect(await mint({ external_owner_id: "kim" })).toMatchObject({ code: "owner_blocked" });
  await revoke({ targets: [{ owner: "kim" }], block: false });
  expect(await mint({ external_owner_id: "kim" })).toHaveProperty("session_token");

  const looked = await fetch(`${base}/sessions/${session}/`, {
    headers: { "x-api-key": t.apiKey },
  });
  expect(await looked.json()).toMatchObject({ revoked_at: expect.any(String) });

  const next = await mint();
  const both = await revoke({ targets: [{ session: next.session_id }, { key: t.kid }] });
  expect(both.status).toBe(200);
  expect(await introspect(next.session_token)).toEqual({ active: false });
  for (const [body, field] of [
    [{ targets: [] }, "targets"],
    [{ targets: [{ owner: "a", key: "b" }] }, "targets[0]"],
    [{ targets: [{ project: false }] }, "targets[0]"],
    [{ targets: [{ key: "k" }], block: true }, "block"],
    [{ targets: [{ owner: "a" }], issued_before: "2999-01-01T00:00:00Z" }, "issued_before"],
    [{ targets: [{ owner: "a" }], issued_before: "yesterday" }, "issued_before"],
    [{ targets: [{ session }], block: true }, "targets[0].session"],
  ] as const) {
    const answer = await revoke(body);
    const problem = (await answer.json()) as { field?: string };
    expect([answer.status, problem.field?.startsWith(field)]).toEqual([400, true]);
  }
  const gone = await revoke({ targets: [{ owner: "lee" }, { session: "ses_none" }] });
  expect(gone.status).toBe(404);
});
