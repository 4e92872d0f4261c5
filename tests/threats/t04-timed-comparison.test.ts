import { crc32 } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApiKey } from "../../packages/server/src/api-keys/api-key-format.ts";
import { toBase62 } from "../../packages/server/src/base62.ts";
import { type AttackedServer, openAttackedServer, problemOf } from "../support/attacked-server.ts";
import { countCrypto } from "../support/count-calls.ts";

/**
 * T4: somebody measures how long a comparison takes. Counted here is the work; how long it takes
 * is measured by the benchmark.
 */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

/** A well-formed key that differs from a good one in the characters of its secret. */
function withSecret(key: string, change: (secret: string) => string): string {
  const body = `${key.slice(0, 22)}${change(key.slice(22, -6))}`;
  return `${body}${toBase62(crc32(body), 6)}`;
}

const other = (character: string | undefined) => (character === "x" ? "y" : "x");

test("an unknown id, a wrong secret and a wrong last character cost exactly the same work", async () => {
  const { apiKey } = server;
  const guesses = {
    "unknown id": createApiKey().text,
    "wrong secret": withSecret(apiKey, (secret) =>
      createApiKey().text.slice(22, 22 + secret.length),
    ),
    "wrong first character": withSecret(apiKey, (secret) => other(secret[0]) + secret.slice(1)),
    "wrong last character": withSecret(
      apiKey,
      (secret) => secret.slice(0, -1) + other(secret.at(-1)),
    ),
  };
  const hmacs = countCrypto("createHmac");
  const comparisons = countCrypto("timingSafeEqual");
  try {
    const work: Record<string, unknown> = {};
    for (const [name, key] of Object.entries(guesses)) {
      hmacs.reset();
      comparisons.reset();
      const answer = await server.fetch(`http://valet.test${server.base}/sessions/`, {
        method: "POST",
        headers: { "x-api-key": key },
      });
      expect(await problemOf(answer)).toBe("401 invalid_api_key");
      work[name] = [hmacs.calls, comparisons.calls];
    }
    expect(work).toEqual(Object.fromEntries(Object.keys(guesses).map((name) => [name, [1, 1]])));
  } finally {
    hmacs.stop();
    comparisons.stop();
  }
});

test("the checksum of a token is compared in constant time, whichever character is wrong", async () => {
  const { session_token: token } = await server.mint();
  expect((await server.as(token, "/session/")).status).toBe(200);
  const comparisons = countCrypto("timingSafeEqual");
  try {
    for (const at of [53, 63]) {
      comparisons.reset();
      const guess = `${token.slice(0, at)}${other(token[at])}${token.slice(at + 1)}`;
      expect((await server.as(guess, "/session/")).status).toBe(401);
      expect([at, comparisons.calls]).toEqual([at, 1]);
    }
  } finally {
    comparisons.stop();
  }
});
