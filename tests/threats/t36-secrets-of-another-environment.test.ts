import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "../../packages/server/src/config.ts";
import { type OpenServer, openServer } from "../../packages/server/src/open-server.ts";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";
import { countStatements } from "../support/count-calls.ts";

/** T36: the secrets of one environment are lost, damaged, or shared with another. */
let server: AttackedServer;
const parent = mkdtempSync(join(tmpdir(), "valet-environment-"));
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(async () => {
  await server?.close();
  rmSync(parent, { recursive: true, force: true });
});

type SecretsFile = Record<string, unknown>;

/** A copy of the whole data folder whose secrets were changed. */
function copyWith(name: string, change: (secrets: SecretsFile) => SecretsFile | string): string {
  const folder = join(parent, name);
  cpSync(server.folder, folder, { recursive: true, filter: (path) => !path.endsWith(".sock") });
  const file = join(folder, "secrets.json");
  const changed = change(JSON.parse(readFileSync(file, "utf8")) as SecretsFile);
  writeFileSync(file, typeof changed === "string" ? changed : JSON.stringify(changed));
  return folder;
}

const open = (folder: string): Promise<OpenServer> =>
  openServer(readConfig({ VALET_DATA_DIR: folder, VALET_LOG_LEVEL: "silent" }), {
    now: () => server.clock.ms,
  });
const ask = async (at: OpenServer, token: string) =>
  (
    await at.app.request(`${server.base}/session/`, {
      headers: { authorization: `Bearer ${token}` },
    })
  ).status;

test("a token of staging is junk in production, even with the same keys and the same database, and reads nothing", async () => {
  const { session_token: staging } = await server.mint();
  expect((await server.as(staging, "/session/")).status).toBe(200);
  const same = await open(copyWith("same", (secrets) => secrets));
  expect(await ask(same, staging)).toBe(200);
  await same.close();

  const production = await open(
    copyWith("other", (secrets) => ({ ...secrets, environment: "production" })),
  );
  const statements = countStatements();
  try {
    // What a server does at its start is over before anything is counted.
    for (let wait = 0; wait < 100; wait += 1) {
      statements.reset();
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (statements.calls === 0) break;
    }
    for (let asked = 0; asked < 20; asked += 1) expect(await ask(production, staging)).toBe(401);
    // Each would have read; what is counted is other work of the two servers.
    expect(statements.calls).toBeLessThan(5);
    const minted = await production.app.request(`${server.base}/sessions/`, {
      method: "POST",
      headers: { "x-api-key": server.apiKey },
    });
    const { session_token: own } = (await minted.json()) as { session_token: string };
    expect(await ask(production, own)).toBe(200);
    expect(statements.calls).toBeGreaterThan(0);
    expect((await server.as(own, "/session/")).status).toBe(401);
  } finally {
    statements.stop();
    await production.close();
  }
});

test("secrets that are damaged stop the server, which never makes new ones in their place", async () => {
  for (const [name, damage] of [
    ["empty", () => ""],
    ["cut", (secrets: SecretsFile) => JSON.stringify(secrets).slice(0, -20)],
    ["short", (secrets: SecretsFile) => ({ ...secrets, pepper: { A: "c2hvcnQ=" } })],
    ["no-epoch", (secrets: SecretsFile) => ({ ...secrets, current_epoch: "B" })],
  ] as const) {
    const folder = copyWith(name, damage);
    const before = readFileSync(join(folder, "secrets.json"), "utf8");
    await expect(open(folder)).rejects.toThrow(/secrets\.json/);
    expect(readFileSync(join(folder, "secrets.json"), "utf8")).toBe(before);
  }
});
