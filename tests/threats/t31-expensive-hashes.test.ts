import { afterAll, beforeAll, expect, test } from "vitest";
import { createApiKey } from "../../packages/server/src/api-keys/api-key-format.ts";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";
import { countCrypto } from "../support/count-calls.ts";
import { password, signUp } from "../support/people.ts";

/** T31: somebody uses up the processor with hashes that are made to be slow. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer({ VALET_TRUSTED_PROXIES: "127.0.0.1" });
});
afterAll(() => server.close());

test("1,000 wrong keys and 1,000 wrong tokens cost no slow hash, and at most one fast one each", async () => {
  const slow = countCrypto("scrypt", "scryptSync", "pbkdf2", "pbkdf2Sync");
  const hmacs = countCrypto("createHmac");
  try {
    const send = (path: string, headers: Record<string, string>) =>
      server.fetch(`http://valet.test${server.base}${path}`, { method: "POST", headers });
    for (let sent = 0; sent < 1_000; sent += 1) {
      await send("/sessions/", { "x-api-key": createApiKey().text });
      await send("/chat/", { authorization: `Bearer SA${"x".repeat(62)}` });
    }
    expect(slow.calls).toBe(0);
    expect(hmacs.calls).toBe(2_000);
  } finally {
    slow.stop();
    hmacs.stop();
  }
});

test("guesses at passwords stop costing anything after ten a minute", async () => {
  await signUp(server);
  const guess = async (text: string) => {
    const startedMs = performance.now();
    const answer = await server.fetch("http://localhost:4747/admin/v1/auth/sign-in/email", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        origin: "http://localhost:4747",
        "x-forwarded-for": "203.0.113.31",
      },
      body: JSON.stringify({ email: "ada@example.com", password: text }),
    });
    return { status: answer.status, ms: performance.now() - startedMs };
  };
  const told = [];
  for (let at = 0; at < 15; at += 1) told.push((await guess(`wrong password ${at}`)).status);
  expect(told.filter((status) => status === 401)).toHaveLength(10);
  expect(told.filter((status) => status === 429)).toHaveLength(5);
  // Not even the right one is hashed now.
  expect((await guess(password)).status).toBe(429);
});
