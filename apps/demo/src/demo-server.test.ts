import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDemoServer } from "./demo-server.ts";

const apiKey = "agk_live_top_secret";
const folder = mkdtempSync(join(tmpdir(), "valet-demo-"));
const servers: Server[] = [];
const owners: string[] = [];
let url: string;

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  mkdirSync(join(folder, "page"));
  writeFileSync(join(folder, "page", "index.html"), "<title>Acme</title>");
  writeFileSync(join(folder, "secret.js"), "outside");
  const apiUrl = await listen(
    createServer(async (request, response) => {
      let body = "";
      for await (const piece of request) body += piece;
      owners.push(JSON.parse(body).external_owner_id);
      response.writeHead(201).end('{"session_token":"t"}');
    }),
  );
  const options = { apiKey, projectId: "prj_1", integrationId: "int_1", apiUrl };
  url = await listen(createDemoServer({ ...options, pageFolder: join(folder, "page") }));
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

test("whoever opened the page may ask for sessions, as the same user each time", async () => {
  const page = await fetch(url);
  expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
  const cookie = page.headers.get("set-cookie")?.split(";")[0] ?? "";
  const ask = (headers: Record<string, string>) =>
    fetch(`${url}/api/session`, { method: "POST", headers });
  expect((await ask({})).status).toBe(401);
  expect((await ask({ cookie: `${cookie}x` })).status).toBe(401);
  expect((await ask({ cookie })).status).toBe(201);
  expect((await ask({ cookie })).status).toBe(201);
  expect(owners[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(owners[1]).toBe(owners[0]);
});

test("the page learns the two ids, and the key is in nothing that it can load", async () => {
  expect(await (await fetch(`${url}/config.json`)).json()).toEqual({
    projectId: "prj_1",
    integrationId: "int_1",
  });
  for (const path of [
    "/",
    "/config.json",
    "/nothing",
    "/%2e%2e/secret.js",
    "/../secret.js",
    "/%",
  ]) {
    const answer = await fetch(url + path);
    const text = await answer.text();
    expect(text).not.toContain(apiKey);
    expect(text).not.toContain("outside");
  }
});
