import { afterAll, beforeAll, expect, test } from "vitest";
import { operations } from "../../packages/server/src/openapi/operations.ts";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";

/** T44: a proxy or a browser keeps an answer that holds a token, and gives it to somebody else. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

test("a new session is in no cache's reach: no-store, by POST alone, and never the same twice", async () => {
  const headers = {
    "x-api-key": server.apiKey,
    "idempotency-key": "once",
    "content-type": "application/json",
  };
  const mint = () =>
    server.send(`${server.base}/sessions/`, { method: "POST", headers, body: "{}" });
  const answers = [await mint(), await mint()];
  const tokens = new Set<string>();
  for (const answer of answers) {
    expect(answer.status).toBe(201);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("etag")).toBeNull();
    tokens.add(((await answer.json()) as { session_token: string }).session_token);
  }
  expect(tokens.size).toBe(2);
  const list = await server.send(`${server.base}/sessions/`, {
    headers: { "x-api-key": server.apiKey },
  });
  const text = await list.text();
  for (const token of tokens) expect(text).not.toContain(token);
});

test("no answer of the agent's and the admin's paths may be stored, errors included", async () => {
  const { session_token: token } = await server.mint({ external_owner_id: "jo" });
  let seen = 0;
  for (const { method, path } of operations) {
    if (!/^\/(?:agent|admin)\//.test(path)) continue;
    const url = path.replace("{projectId}", server.projectId).replace(/\{\w+\}/g, "some_thing");
    const answers: Record<string, string>[] = [
      {},
      { authorization: `Bearer ${token}` },
      { "x-api-key": server.apiKey },
    ];
    for (const headers of answers) {
      if (method === "delete" && url.endsWith("/session/")) continue;
      const answer = await server.send(url, { method: method.toUpperCase(), headers });
      await answer.text();
      expect([method, url, answer.headers.get("cache-control")]).toEqual([
        method,
        url,
        expect.stringMatching(/^no-(?:store|cache, no-transform)/),
      ]);
      seen += 1;
    }
  }
  expect(seen).toBeGreaterThan(60);
});
