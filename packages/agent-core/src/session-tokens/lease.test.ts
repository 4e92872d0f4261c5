import { expect, test } from "vitest";
import { createLease } from "./lease.ts";

test("a lease whose clock is doubted is never renewed ahead: until its longest life is over only the server ends it", () => {
  let nowMs = 0;
  const clock = { wall: () => nowMs, mono: () => nowMs };
  const terms = { value: "t", apiUrl: undefined, gen: 1, epoch: 0, lifeMs: 60_000 };
  const lease = createLease(
    { ...terms, isDoubted: true, askedAt: { wallMs: 0, monoMs: 0 } },
    clock,
    { maxLifetimeMs: 600_000 },
  );
  expect([lease.reactive, lease.expiresInMs]).toEqual([true, null]);
  for (nowMs of [0, 59_000, 61_000, 590_000, 599_999]) expect(lease.zone()).toBe("fresh");
  nowMs = 600_000;
  expect(lease.zone()).toBe("over");
});
