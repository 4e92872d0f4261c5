import fc from "fast-check";
import { expect, test } from "vitest";
import type { Rate } from "./gcra.ts";
import { createMemoryLimiter, type Verdict } from "./limiter.ts";

const rates = fc.record({
  quota: fc.integer({ min: 1, max: 700 }),
  windowMs: fc.constantFrom(1_000, 60_000, 86_400_000),
  burst: fc.integer({ min: 1, max: 40 }),
});

/** Waits before each request: mostly short, sometimes long enough to refill. */
const waits = fc.array(
  fc.oneof(
    fc.constant(0),
    fc.integer({ max: 3_000, min: 0 }),
    fc.integer({ min: 0, max: 200_000 }),
  ),
  { maxLength: 120 },
);

function open(maxKeysPerPolicy?: number) {
  const clock = { ms: 1_790_000_000_123 };
  const limiter = createMemoryLimiter({
    monotonicMs: () => clock.ms,
    ...(maxKeysPerPolicy !== undefined && { maxKeysPerPolicy }),
  });
  const take = (rate: Rate, key = "a", policy = "p") =>
    (limiter.take([{ policy, rate, key }]) as Verdict[])[0] as Verdict;
  return { clock, limiter, take };
}

test("in any span of time no more is admitted than the burst and what has refilled", () => {
  fc.assert(
    fc.property(rates, waits, (rate, steps) => {
      const { clock, take } = open();
      const admitted: number[] = [];
      for (const step of steps) {
        clock.ms += step;
        if (take(rate).isAdmitted) admitted.push(clock.ms);
      }
      for (let from = 0; from < admitted.length; from += 1) {
        for (let to = from; to < admitted.length; to += 1) {
          const spanMs = (admitted[to] as number) - (admitted[from] as number);
          // In whole numbers: count <= burst + span * quota / window.
          const count = BigInt(to - from + 1 - rate.burst);
          expect(count * BigInt(rate.windowMs) <= BigInt(spanMs) * BigInt(rate.quota)).toBe(true);
        }
      }
    }),
  );
});

test("nothing is refused that a log of all admitted instants leaves room for", () => {
  fc.assert(
    fc.property(rates, waits, (rate, steps) => {
      const { clock, take } = open();
      const admitted: number[] = [];
      for (const step of steps) {
        clock.ms += step;
        const fits = admitted.every(
          (atMs, index) =>
            BigInt(admitted.length - index + 1 - rate.burst) * BigInt(rate.windowMs) <=
            BigInt(clock.ms - atMs) * BigInt(rate.quota),
        );
        expect(take(rate).isAdmitted).toBe(fits);
        if (fits) admitted.push(clock.ms);
      }
    }),
  );
});

test("what is said of the rest is true: so many are admitted now, and one more after the wait", () => {
  fc.assert(
    fc.property(rates, waits, (rate, steps) => {
      const { clock, take } = open();
      for (const step of steps) {
        clock.ms += step;
        take(rate);
      }
      let verdict = take(rate);
      while (verdict.isAdmitted) {
        const { remaining } = verdict;
        verdict = take(rate);
        expect(verdict.isAdmitted).toBe(remaining > 0);
      }
      clock.ms += verdict.nextInMs - 1;
      expect(take(rate).isAdmitted).toBe(false);
      clock.ms += 1;
      expect(take(rate).isAdmitted).toBe(true);
    }),
  );
});

test("a request that one policy refuses takes nothing from the others", () => {
  const { limiter, take } = open();
  const wide = { quota: 60, windowMs: 60_000, burst: 5 };
  const narrow = { quota: 1, windowMs: 60_000, burst: 1 };
  const both = [
    { policy: "wide", rate: wide, key: "a" },
    { policy: "narrow", rate: narrow, key: "a" },
  ];
  const first = limiter.take(both) as Verdict[];
  expect(first.map(({ isAdmitted, remaining }) => [isAdmitted, remaining])).toEqual([
    [true, 4],
    [true, 0],
  ]);
  for (let time = 0; time < 10; time += 1) {
    const verdicts = limiter.take(both) as Verdict[];
    expect(verdicts.map(({ isAdmitted, remaining }) => [isAdmitted, remaining])).toEqual([
      [true, 4],
      [false, 0],
    ]);
  }
  expect(take(wide, "a", "wide").remaining).toBe(3);
});

test("keys and policies do not share a count", () => {
  const { take } = open();
  const once = { quota: 1, windowMs: 60_000, burst: 1 };
  expect(take(once, "a").isAdmitted).toBe(true);
  expect(take(once, "b").isAdmitted).toBe(true);
  expect(take(once, "a", "q").isAdmitted).toBe(true);
  expect(take(once, "a").isAdmitted).toBe(false);
});

test("a clock that is set back gives nothing and locks nobody out", () => {
  const { clock, take } = open();
  const rate = { quota: 60, windowMs: 60_000, burst: 2 };
  clock.ms += 10_000;
  take(rate);
  take(rate);
  clock.ms -= 9_000;
  expect(take(rate)).toMatchObject({ isAdmitted: false, nextInMs: 1_000 });
  clock.ms += 10_000;
  expect(take(rate).isAdmitted).toBe(true);
});

test("a change of the rate takes hold at once and gives nobody a new burst", () => {
  const { clock, take } = open();
  for (let time = 0; time < 10; time += 1) take({ quota: 600, windowMs: 60_000, burst: 10 });
  const slower = { quota: 60, windowMs: 60_000, burst: 1 };
  expect(take(slower).isAdmitted).toBe(false);
  clock.ms += 1_000;
  expect(take(slower).isAdmitted).toBe(true);
});

test("keys are remembered up to the bound, and who keeps asking is never the one forgotten", () => {
  const { limiter, take } = open(100);
  const once = { quota: 1, windowMs: 86_400_000, burst: 1 };
  take(once, "persistent");
  for (let other = 0; other < 10_000; other += 1) {
    take(once, `other ${other}`);
    if (other % 50 === 0) expect(take(once, "persistent").isAdmitted).toBe(false);
  }
  expect(limiter.size).toBe(100);
  // The other side of the bound: as many other keys, and not one fewer, make room for a new burst.
  expect(take(once, "persistent").isAdmitted).toBe(false);
  for (let other = 0; other < 99; other += 1) take(once, `more ${other}`);
  expect(take(once, "persistent").isAdmitted).toBe(false);
  for (let other = 0; other < 100; other += 1) take(once, `again ${other}`);
  expect(take(once, "persistent").isAdmitted).toBe(true);
});

test("memory of keys that have worked everything off is given back as others come", () => {
  const { clock, limiter, take } = open();
  const rate = { quota: 60, windowMs: 60_000, burst: 5 };
  for (let key = 0; key < 1_000; key += 1) take(rate, `old ${key}`);
  clock.ms += 60_000;
  for (let key = 0; key < 1_000; key += 1) take(rate, `new ${key}`);
  expect(limiter.size).toBe(1_000);
});
