import fc from "fast-check";
import { expect, test } from "vitest";
import { createCallBudget } from "./call-budget.ts";

test("ten calls at once, then one every 6 s, and it says when", () => {
  let nowMs = 5;
  const budget = createCallBudget(() => nowMs);
  for (let call = 0; call < 10; call += 1) expect(budget.take()).toBe(0);
  expect(budget.take()).toBe(6_000);
  nowMs += 5_999;
  expect(budget.take()).toBe(1);
  nowMs += 1;
  expect(budget.take()).toBe(0);
  expect(budget.take()).toBe(6_000);
  nowMs += 3_600_000;
  for (let call = 0; call < 10; call += 1) expect(budget.take()).toBe(0);
  expect(budget.take()).toBe(6_000);
});

test("in no minute are there more than twenty, whenever they are asked for", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }), (waits) => {
      let nowMs = 0;
      const budget = createCallBudget(() => nowMs);
      const taken: number[] = [];
      for (const wait of waits) {
        nowMs += wait;
        if (budget.take() === 0) taken.push(nowMs);
      }
      for (const [at, startedMs] of taken.entries()) {
        expect((taken[at + 20] ?? Number.POSITIVE_INFINITY) - startedMs).toBeGreaterThanOrEqual(
          60_000,
        );
      }
    }),
  );
});
