import { afterAll, beforeAll, expect, test } from "vitest";
import { createApiKey } from "../../packages/server/src/api-keys/api-key-format.ts";
import { randomBase62 } from "../../packages/server/src/base62.ts";
import { type AttackedServer, openAttackedServer, problemOf } from "../support/attacked-server.ts";
import { countCrypto, countStatements } from "../support/count-calls.ts";

/** T3: anyone guesses API keys. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const mint = (key: string) =>
  server.fetch(`http://valet.test${server.base}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": key },
  });

test("a text whose checksum is wrong costs neither an HMAC nor a read", async () => {
  const hmacs = countCrypto("createHmac");
  const statements = countStatements();
  try {
    expect((await mint(server.apiKey)).status).toBe(201);
    expect(hmacs.calls).toBeGreaterThan(0);
    expect(statements.calls).toBeGreaterThan(0);
    hmacs.reset();
    statements.reset();
    for (let guess = 0; guess < 50; guess += 1) {
      const text = `agk_live_${server.kid}_${randomBase62(49)}`;
      expect(await problemOf(mint(text))).toBe("401 invalid_api_key");
    }
    expect([hmacs.calls, statements.calls]).toEqual([0, 0]);
  } finally {
    hmacs.stop();
    statements.stop();
  }
});

test("a well-formed key that was never made is refused without a read", async () => {
  const statements = countStatements();
  try {
    for (let guess = 0; guess < 9; guess += 1) {
      expect(await problemOf(mint(createApiKey().text))).toBe("401 invalid_api_key");
    }
    expect(statements.calls).toBe(0);
  } finally {
    statements.stop();
  }
});

test("after 60 wrong keys a minute an address is told to wait, and a good key from it still works", async () => {
  server.clock.ms += 3_600_000;
  const told: string[] = [];
  for (let guess = 0; guess < 65; guess += 1) {
    told.push(await problemOf(mint(createApiKey().text)));
  }
  expect(new Set(told.slice(0, 60))).toEqual(new Set(["401 invalid_api_key"]));
  expect(new Set(told.slice(60))).toEqual(new Set(["429 abnormal_usage"]));
  const answer = await mint(createApiKey().text);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await mint(server.apiKey)).status).toBe(201);
});
