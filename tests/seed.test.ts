import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { fileURLToPath } from "node:url";
import { createAdaptorServer } from "@hono/node-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

/**
 * The two snippets of the page that Valet is compatible with, character for character; only the
 * host is replaced. They stand in a file of their own, so that no formatter touches them.
 */
const seed = readFileSync(fileURLToPath(new URL("seed-snippets.txt", import.meta.url)), "utf8");

let valet: TestServer;
let api: Server;
let customer: Server;
let customerUrl: string;

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
    });
  });
}

function snippet(name: string): string {
  const found = new RegExp(`^--- ${name}\\n([\\s\\S]*?)\\n--- end$`, "m").exec(seed)?.[1];
  if (!found) throw new Error(`There is no snippet ${name}.`);
  return found;
}

beforeAll(async () => {
  valet = await openTestServer();
  api = createAdaptorServer({ fetch: valet.server.app.fetch }) as Server;
  const apiUrl = await listen(api);
  const code = snippet("server").replace("https://api.kapa.ai", apiUrl);
  const passThrough = new Function(
    "projectId",
    "apiKey",
    "res",
    `return (async () => {${code}})();`,
  ) as (projectId: string, apiKey: string, res: { json(body: unknown): void }) => Promise<void>;
  customer = createServer((request, response) => {
    if (request.method !== "POST" || request.url !== "/api/session") {
      response.writeHead(404).end();
      return;
    }
    void passThrough(valet.projectId, valet.apiKey, {
      json(body) {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(body));
      },
    });
  });
  customerUrl = await listen(customer);
});
afterAll(async () => {
  customer.close();
  api.close();
  await valet.close();
});

/** The seed's `getSessionToken`, with relative addresses of the customer's page. */
function getSessionToken(): Promise<Record<string, unknown>> {
  const source = snippet("client")
    .replace(/^getSessionToken=\{/, "")
    .replace(/\}$/, "");
  const make = new Function("fetch", `return (${source});`) as (
    fetchIt: typeof fetch,
  ) => () => Promise<Record<string, unknown>>;
  return make(((path: string, init: RequestInit) =>
    fetch(`${customerUrl}${path}`, init)) as typeof fetch)();
}

test("the seed's two snippets run as they stand and bring a token to the page", async () => {
  const body = await getSessionToken();
  expect(body.session_token).toMatch(/^[0-9A-Za-z]{64}$/);
  expect(body.expires_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const lifeMs = Date.parse(String(body.expires_at)) - Date.now();
  expect(lifeMs).toBeGreaterThan(3_590_000);
  expect(lifeMs).toBeLessThanOrEqual(3_601_000);
});

test("the token that they bring is good for the project and says what it is", async () => {
  const body = await getSessionToken();
  const answer = await valet.fetch(
    `http://valet.test/agent/v1/projects/${valet.projectId}/agent/session/`,
    { headers: { authorization: `Bearer ${body.session_token}` } },
  );
  expect(answer.status).toBe(200);
  const text = await answer.text();
  expect(JSON.parse(text)).toMatchObject({
    session_id: body.session_id,
    project_id: valet.projectId,
    external_owner_id: null,
  });
  expect(text).not.toContain(String(body.session_token));
});

test("every call brings another token, and none of them holds a part of the key", async () => {
  const tokens = new Set<string>();
  for (let round = 0; round < 5; round += 1) {
    const text = JSON.stringify(await getSessionToken());
    expect(text).not.toContain(valet.apiKey.slice(22));
    tokens.add(text);
  }
  expect(tokens.size).toBe(5);
});
