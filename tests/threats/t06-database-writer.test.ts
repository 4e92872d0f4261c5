import { createHash, createHmac, randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SQLite from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApiKey } from "../../packages/server/src/api-keys/api-key-format.ts";
import { randomBase62 } from "../../packages/server/src/base62.ts";
import { readConfig } from "../../packages/server/src/config.ts";
import { type OpenServer, openServer } from "../../packages/server/src/open-server.ts";
import { createSessionTokenFormat } from "../../packages/server/src/sessions/session-token-format.ts";
import { type AttackedServer, openAttackedServer, problemOf } from "../support/attacked-server.ts";

/** T6: somebody can write the database, but cannot read the secrets. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

/** Copies a row under other values, as a writer of the file can. */
function plant(
  file: string,
  table: "session" | "api_key",
  where: string,
  change: Record<string, unknown>,
): void {
  const database = new SQLite(file);
  const row = database.prepare(`select * from ${table} where ${where}`).get() as object;
  expect(row).toBeDefined();
  const planted = { ...row, ...change };
  const names = Object.keys(planted);
  const values = names.map((name) => `@${name}`).join(", ");
  database.prepare(`insert into ${table} (${names.join(", ")}) values (${values})`).run(planted);
  database.close();
}

const databaseFile = () => join(server.folder, "valet.db");

test("a planted row of a token that the writer made up does not make the token good", async () => {
  const { session_token: good, session_id: sid } = await server.mint();
  const forged = createSessionTokenFormat({
    environment: "guessed",
    currentEpoch: "A",
    macKeys: new Map([["A", randomBytes(32)]]),
  });
  const tokens = [
    forged.create(Math.floor(server.clock.ms / 1000) + 3600),
    `${good.slice(0, 8)}${randomBase62(56)}`,
  ];
  for (const token of tokens) {
    plant(databaseFile(), "session", `sid = '${sid}'`, {
      digest: createHash("sha256").update(token).digest(),
      sid: `ses_${randomBase62(22)}`,
    });
    expect(await problemOf(server.as(token, "/session/"))).toBe("401 invalid_token");
  }
});

test("a token that has expired stays so, whatever end its row is given", async () => {
  const { session_token: token, session_id: sid } = await server.mint({ ttl_seconds: 60 });
  const database = new SQLite(databaseFile());
  database
    .prepare("update session set expires_at_s = expires_at_s + 9999999 where sid = ?")
    .run(sid);
  database.close();
  server.clock.ms += 61_000;
  expect(await problemOf(server.as(token, "/session/"))).toBe("401 token_expired");
});

test("a planted row of a key that the writer made up does not make the key good, even after a restart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "valet-writer-"));
  let again: OpenServer | undefined;
  try {
    cpSync(server.folder, folder, { recursive: true, filter: (path) => !path.endsWith(".sock") });
    const digests = (text: string) => [
      createHash("sha256").update(text).digest(),
      createHmac("sha256", "").update(text).digest(),
      createHmac("sha256", randomBytes(32)).update(text).digest(),
    ];
    const keys: string[] = [];
    for (const at of [0, 1, 2]) {
      const { kid, text } = createApiKey();
      keys.push(text);
      plant(join(folder, "valet.db"), "api_key", `kid = '${server.kid}'`, {
        kid,
        digest: digests(text)[at],
      });
    }
    again = await openServer(readConfig({ VALET_DATA_DIR: folder, VALET_LOG_LEVEL: "silent" }));
    const mint = async (key: string) =>
      (
        await again?.app.request(`${server.base}/sessions/`, {
          method: "POST",
          headers: { "x-api-key": key },
        })
      )?.status;
    expect(await mint(server.apiKey)).toBe(201);
    for (const key of keys) expect(await mint(key)).toBe(401);
  } finally {
    await again?.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
