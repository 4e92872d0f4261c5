import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createSessionTokenFormat } from "../../packages/server/src/sessions/session-token-format.ts";
import { openAttackedServer } from "../support/attacked-server.ts";
import { createTokenStatistics } from "../support/token-statistics.ts";

/** T1: anyone on the network guesses session tokens. */

test("100,000 tokens: no two are alike, and no character of the random part is favoured", () => {
  const format = createSessionTokenFormat({
    environment: "test",
    currentEpoch: "A",
    macKeys: new Map([["A", randomBytes(32)]]),
  });
  const statistics = createTokenStatistics();
  for (let made = 0; made < 100_000; made += 1) statistics.add(format.create(1_800_000_000));
  expect(statistics.duplicates()).toBe(0);
  expect(statistics.unlikelyPositions()).toEqual([]);
});

test("a token that differs from a good one in any single character is refused", async () => {
  const server = await openAttackedServer();
  try {
    const { session_token: token } = await server.mint();
    expect((await server.as(token, "/session/")).status).toBe(200);
    for (let at = 0; at < token.length; at += 1) {
      // Time for the limit on failures to forget: here the format is under attack.
      server.clock.ms += 2_000;
      const other = token[at] === "x" ? "y" : "x";
      const guess = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
      expect([at, (await server.as(guess, "/session/")).status]).toEqual([at, 401]);
    }
  } finally {
    await server.close();
  }
});
