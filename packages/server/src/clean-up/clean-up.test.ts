import { expect, test } from "vitest";
import { createSqlCleanUpStore } from "../database/clean-up-store.ts";
import { openDatabase } from "../database/database.ts";
import { type CleanUpStore, createCleanUp } from "./clean-up.ts";

/** A store of so many rows, whose steps take as long as is said. */
function countingStore(rows: number, takesMs: (limit: number) => number) {
  const clock = { ms: 0 };
  const limits: number[] = [];
  let left = rows;
  const store: CleanUpStore = {
    isBlocking: true,
    chores: [
      {
        name: "rows",
        async step(_nowMs, limit) {
          const gone = Math.min(limit, left);
          left -= gone;
          clock.ms += takesMs(limit);
          if (gone > 0) limits.push(limit);
          return gone;
        },
      },
    ],
  };
  return { store, clock, limits, left: () => left };
}

test("2,600 rows go in six steps of 500 at most, and a request is served between any two of them", async () => {
  const database = await openDatabase(":memory:");
  for (let at = 0; at < 2_600; at += 1) {
    await database
      .insertInto("session_usage")
      .values({ sid: `ses_${at}`, project_id: "prj_1", turns: 0, model_tokens: 0, until_s: 1 })
      .execute();
  }
  const count = async () => {
    const { rows } = await database
      .selectFrom("session_usage")
      .select((eb) => eb.fn.countAll<number>().as("rows"))
      .executeTakeFirstOrThrow();
    return rows;
  };
  const seen: number[] = [];
  const cleanUp = createCleanUp({
    store: createSqlCleanUpStore(database),
    monotonicMs: () => 0,
    pause: async () => {
      // What a request would do: it finds the database free, and what was done so far.
      seen.push(await count());
    },
  });
  expect(await cleanUp.run()).toBe(2_600);
  expect(seen).toEqual([2_100, 1_600, 1_100, 600, 100, 0]);
  await database.destroy();
});

test("steps that take too long become shorter until they do not, and longer again when they may", async () => {
  const slow = countingStore(2_000, (limit) => limit / 20);
  await createCleanUp({
    ...slow,
    monotonicMs: () => slow.clock.ms,
    pause: async () => undefined,
  }).run();
  // 500 rows take 25 ms here, 62 take 3.1.
  expect(slow.limits.slice(0, 5)).toEqual([500, 250, 125, 62, 62]);
  const fast = countingStore(3_000, (limit) => (fast.limits.length < 1 ? 9 : limit / 1_000));
  await createCleanUp({
    ...fast,
    monotonicMs: () => fast.clock.ms,
    pause: async () => undefined,
  }).run();
  expect(fast.limits.slice(0, 3)).toEqual([500, 250, 500]);
});

test("the pause behind a step is four times as long as the step, and never none", async () => {
  const pauses: number[] = [];
  const { store, clock } = countingStore(800, () => 100);
  const pause = async (ms: number) => void pauses.push(ms);
  await createCleanUp({ store, monotonicMs: () => clock.ms, pause }).run();
  expect(pauses.slice(0, 2)).toEqual([400, 400]);
  const quick = countingStore(800, () => 0);
  pauses.length = 0;
  await createCleanUp({ ...quick, monotonicMs: () => 0, pause }).run();
  expect(pauses).toEqual([10, 10]);
});

test("a stop waits for the step under way and for no other; the next one finishes the work", async () => {
  const { store, left } = countingStore(2_000, () => 0);
  const first = createCleanUp({
    store,
    monotonicMs: () => 0,
    pause: async () => {
      void first.close();
    },
  });
  expect(await first.run()).toBe(500);
  expect(left()).toBe(1_500);
  expect(await first.run()).toBe(0);
  expect(await createCleanUp({ store, pause: async () => undefined }).run()).toBe(1_500);
});

test("two calls at the same time are one, and one that failed does not stop the next", async () => {
  let fails = true;
  let steps = 0;
  const store: CleanUpStore = {
    isBlocking: false,
    chores: [
      {
        name: "rows",
        step: async () => {
          steps += 1;
          if (fails) throw new Error("disk full");
          return 0;
        },
      },
    ],
  };
  const cleanUp = createCleanUp({ store });
  const both = await Promise.allSettled([cleanUp.run(), cleanUp.run()]);
  expect([both.map(({ status }) => status), steps]).toEqual([["rejected", "rejected"], 1]);
  fails = false;
  expect(await cleanUp.run()).toBe(0);
});
