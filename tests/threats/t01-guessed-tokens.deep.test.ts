import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createSessionTokenFormat } from "../../packages/server/src/sessions/session-token-format.ts";
import { createTokenStatistics } from "../support/token-statistics.ts";

/** T1 in full: a million tokens. */
test("a million tokens: no two are alike, and no character of the random part is favoured", () => {
  const format = createSessionTokenFormat({
    environment: "test",
    currentEpoch: "A",
    macKeys: new Map([["A", randomBytes(32)]]),
  });
  const statistics = createTokenStatistics();
  for (let made = 0; made < 1_000_000; made += 1) statistics.add(format.create(1_800_000_000));
  expect(statistics.duplicates()).toBe(0);
  expect(statistics.unlikelyPositions()).toEqual([]);
});
