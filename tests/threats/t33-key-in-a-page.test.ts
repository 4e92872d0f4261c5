import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, problemOf } from "../support/attacked-server.ts";

/** T33: a key has leaked into the code of a page, and is used from there. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const routes = [
  ["POST", "/sessions/"],
  ["GET", "/sessions/"],
  ["GET", "/sessions/ses_x/"],
  ["DELETE", "/sessions/ses_x/"],
  ["POST", "/revocations/"],
  ["POST", "/sessions/introspect/"],
  ["POST", "/sessions/revoke/"],
] as const;

test("a key that comes from a page is refused on every route, without CORS headers, and the audit says so", async () => {
  for (const [method, path] of routes) {
    for (const mark of [
      { origin: "https://app.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "none" },
    ]) {
      const answer = await server.send(`${server.base}${path}`, {
        method,
        headers: { "x-api-key": server.apiKey, ...mark } as Record<string, string>,
      });
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      expect([path, await problemOf(answer)]).toEqual([path, "403 api_key_in_browser"]);
    }
  }
  const preflight = await server.send(`${server.base}/sessions/`, {
    method: "OPTIONS",
    headers: {
      origin: "https://app.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "x-api-key",
    },
  });
  expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
  expect(preflight.headers.get("access-control-allow-headers")).toBeNull();
  const { default: SQLite } = await import("better-sqlite3");
  const database = new SQLite(`${server.folder}/valet.db`, { readonly: true });
  const lines = database
    .prepare("select target from audit where event = 'key.used_from_browser'")
    .all() as { target: string }[];
  database.close();
  expect(lines.length).toBeGreaterThan(0);
  expect(new Set(lines.map(({ target }) => target))).toEqual(new Set([server.kid]));
});
