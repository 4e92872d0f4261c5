import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createDraftKeeper } from "./draft-keeper.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

test("what changes is kept within the time, however often it changes, and nothing is written without a change", async () => {
  let saved = 0;
  const keeper = createDraftKeeper({
    save: async () => void saved++,
    everyMs: 1_000,
    log: quiet,
  });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(saved).toBe(0);
  for (let ms = 0; ms < 10_000; ms += 10) {
    keeper.note();
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(saved).toBeGreaterThanOrEqual(9);
  expect(saved).toBeLessThanOrEqual(10);
});

test("what is asked for at once waits for the write under way and sees what came since", async () => {
  const written: number[] = [];
  let value = 1;
  let release: () => void = () => undefined;
  const keeper = createDraftKeeper({
    async save() {
      const now = value;
      if (now === 1) await new Promise<void>((resolve) => (release = resolve));
      written.push(now);
    },
    everyMs: 1_000,
    log: quiet,
  });
  const first = keeper.keep();
  await vi.advanceTimersByTimeAsync(0);
  value = 2;
  const second = keeper.keep();
  await vi.advanceTimersByTimeAsync(0);
  expect(written).toEqual([]);
  release();
  await Promise.all([first, second]);
  expect(written).toEqual([1, 2]);
});

test("a write that fails is logged, stops nothing and is made again; behind the end there is none", async () => {
  let calls = 0;
  const warnings: unknown[] = [];
  const keeper = createDraftKeeper({
    async save() {
      calls += 1;
      if (calls === 1) throw new Error("away");
    },
    everyMs: 1_000,
    log: { ...quiet, warn: (about: unknown) => void warnings.push(about) },
  });
  await keeper.keep();
  expect(warnings).toHaveLength(1);
  keeper.note();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(calls).toBe(2);
  keeper.note();
  await keeper.close();
  keeper.note();
  await keeper.keep();
  await vi.advanceTimersByTimeAsync(9_000);
  expect(calls).toBe(2);
});
