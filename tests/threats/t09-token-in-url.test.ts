import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, problemOf } from "../support/attacked-server.ts";

/** T9: a proxy, a history or a `Referer` header carries a credential that stood in a URL. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const names = ["access_token", "token", "session_token", "api_key", "apikey", "x-api-key", "q"];

test("a credential in the query string is refused even when it is good, by every name and on every route", async () => {
  const { session_token: token, session_id: sid } = await server.mint({ external_owner_id: "jo" });
  const routes = [
    ["GET", "/session/", token],
    ["GET", "/threads/", token],
    ["POST", "/chat/", token],
    ["DELETE", "/session/", token],
    ["POST", "/sessions/", server.apiKey],
    ["GET", "/sessions/", server.apiKey],
    ["DELETE", `/sessions/${sid}/`, server.apiKey],
    ["POST", "/revocations/", server.apiKey],
    ["POST", "/sessions/introspect/", server.apiKey],
    ["POST", "/sessions/revoke/", server.apiKey],
  ] as const;
  for (const [method, path, credential] of routes) {
    for (const name of [...names, ...names.map((each) => each.toUpperCase())]) {
      const url = `${server.base}${path}?${name}=${encodeURIComponent(credential)}`;
      const alone = await problemOf(server.send(url, { method }));
      expect([method, path, name, alone]).toEqual([method, path, name, "400 credential_in_query"]);
      const headers: Record<string, string> =
        credential === token ? { authorization: `Bearer ${token}` } : { "x-api-key": credential };
      const besides = await problemOf(server.send(url, { method, headers }));
      expect([method, path, name, besides]).toEqual([
        method,
        path,
        name,
        "400 credential_in_query",
      ]);
    }
  }
  // Nothing was done by any of them, and nothing of them was written down.
  expect((await server.as(token, "/session/")).status).toBe(200);
  expect(server.log()).not.toContain(token);
  expect(server.log()).not.toContain(server.apiKey);
});
