import fc from "fast-check";
import { expect, test } from "vitest";
import { createIssueClock } from "./issue-clock.ts";

test("however the computer's clock steps, a mark covers all that was issued before it and nothing after", () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({
        step: fc.constant("clock" as const),
        byMs: fc.integer({ min: -90_000, max: 90_000 }),
      }),
      fc.record({ step: fc.constantFrom("issue" as const, "mark" as const) }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      let nowMs = 1_800_000_000_000;
      const clock = createIssueClock(() => nowMs);
      const issued: number[] = [];
      let markMs = Number.NEGATIVE_INFINITY;
      for (const each of all) {
        if (each.step === "clock") nowMs += each.byMs;
        else if (each.step === "issue") {
          const atMs = clock.next();
          expect(atMs).toBeGreaterThan(markMs);
          expect(atMs).toBeGreaterThanOrEqual(Math.max(nowMs, ...issued));
          issued.push(atMs);
        } else {
          markMs = clock.mark();
          for (const atMs of issued) expect(atMs).toBeLessThanOrEqual(markMs);
        }
      }
    }),
  );
});

test("it goes on from what was given before a restart", () => {
  const clock = createIssueClock(() => 1_000);
  clock.goOnFrom(5_000);
  expect(clock.mark()).toBe(5_000);
  expect(clock.next()).toBe(5_001);
});
