import { join } from "node:path";
import SQLite from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, problemOf } from "../support/attacked-server.ts";

/** T17: the holder of a weak key makes sessions, or does things, that the key may not. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const actions = [
  ["sessions:create", "POST", "/sessions/", undefined],
  ["sessions:read", "GET", "/sessions/", undefined],
  ["sessions:read", "GET", "/sessions/ses_x/", undefined],
  ["sessions:revoke", "DELETE", "/sessions/ses_x/", undefined],
  ["sessions:revoke", "POST", "/revocations/", { targets: [{ project: true }] }],
  ["sessions:revoke", "POST", "/sessions/revoke/", { token: "x" }],
  ["introspect", "POST", "/sessions/introspect/", { token: "x" }],
  ["sessions:create", "POST", "/sessions/", { visitor_id: "v", visitor_ip: "203.0.113.7" }],
] as const;

test("a key does what its scopes say and nothing else, and a refusal leaves nothing behind", async () => {
  const { session_token: alive } = await server.mint();
  const database = new SQLite(join(server.folder, "valet.db"), { readonly: true });
  const count = (table: string) =>
    (database.prepare(`select count(*) as n from ${table}`).get() as { n: number }).n;
  for (const scope of ["sessions:create", "sessions:read", "sessions:revoke", "introspect"]) {
    const { secret } = await server.newKey({ scopes: [scope] });
    const before = [count("session"), count("revocation"), count("block")];
    for (const [needs, method, path, body] of actions) {
      const speaksForVisitors = body !== undefined && "visitor_id" in body;
      if (needs === scope && !speaksForVisitors) continue;
      const answer = await server.send(`${server.base}${path}`, {
        method,
        headers: { "x-api-key": secret, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
      });
      expect([scope, path, await problemOf(answer)]).toEqual([
        scope,
        path,
        "403 insufficient_scope",
      ]);
    }
    expect([count("session"), count("revocation"), count("block")]).toEqual(before);
  }
  database.close();
  expect((await server.as(alive, "/session/")).status).toBe(200);
});

test("a key cannot make or change keys, and a session token is no key", async () => {
  const { session_token: token } = await server.mint();
  for (const headers of [{ "x-api-key": server.apiKey }, { authorization: `Bearer ${token}` }]) {
    const answer = await server.send(`/admin/v1/projects/${server.projectId}/keys`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ name: "Mine" }),
    });
    expect(await problemOf(answer)).toBe("401 sign_in_required");
  }
  const asKey = await server.send(`${server.base}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": token },
  });
  expect(await problemOf(asKey)).toBe("401 invalid_api_key");
  const asToken = await server.as(server.apiKey, "/session/");
  expect(await problemOf(asToken)).toBe("401 invalid_token");
});
