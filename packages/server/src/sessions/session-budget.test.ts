import fc from "fast-check";
import { expect, test } from "vitest";
import { someSession } from "../agent/testing/agent-harness.ts";
import { type Database, openDatabase } from "../database/database.ts";
import { createSqlUsageStore } from "../database/usage-store.ts";
import type { ProblemError } from "../http/problem-answer.ts";
import { projectSettings } from "../projects/project-settings.ts";
import type { SessionPolicy, SessionPrincipal } from "./principal.ts";
import { createSessionBudget, type RunBudget } from "./session-budget.ts";
import { createTokenPots, type TokenShare } from "./token-pots.ts";

const settings = projectSettings.parse({ streams_per_owner: 2, visitors: { turns_per_day: 3 } });

async function open(existing?: Database) {
  const database = existing ?? (await openDatabase(":memory:"));
  const clock = { ms: Date.parse("2026-03-17T23:00:00Z") };
  const store = createSqlUsageStore(database);
  const budget = createSessionBudget({
    store,
    settingsOf: () => settings,
    now: () => clock.ms,
  });
  return { database, clock, store, budget };
}
const limited = (limits: SessionPolicy["limits"], more: Partial<SessionPrincipal> = {}) =>
  someSession({ policy: limits ? { limits } : {}, ...more });
const refusalOf = (begun: Promise<RunBudget>) =>
  begun.then(
    () => undefined,
    ({ code, details, headers }: ProblemError) => ({
      code,
      policies: details["violated-policies"],
      retryAfter: headers["retry-after"],
    }),
  );

test("a session has as many turns as it was given, also after a restart; one that did not take place costs none", async () => {
  const { budget, database } = await open();
  const mine = limited({ turns: 2 });
  await (await budget.begin(mine, true)).giveBack();
  await (await budget.begin(mine, true)).settle();
  const again = (await open(database)).budget;
  await (await again.begin(mine, true)).settle();
  expect(await refusalOf(again.begin(mine, true))).toEqual({
    code: "budget_exhausted",
    policies: ["session-turns"],
    retryAfter: undefined,
  });
  // What goes on with a turn that was paid for takes none.
  await (await again.begin(mine, false)).settle();
  await (await again.begin(limited({ turns: 2 }), true)).settle();
});

test("a turn is counted before its run begins: a crash gives none away", async () => {
  const { budget, database } = await open();
  const mine = limited({ turns: 1 });
  await budget.begin(mine, true);
  const afterTheCrash = (await open(database)).budget;
  expect((await refusalOf(afterTheCrash.begin(mine, true)))?.code).toBe("budget_exhausted");
});

test("answers at the same time are counted while they are written, by session and by owner", async () => {
  const { budget } = await open();
  const narrow = limited({ streams: 1 });
  const running = await budget.begin(narrow, true);
  expect(await refusalOf(budget.begin(narrow, false))).toEqual({
    code: "quota_exceeded",
    policies: ["session-streams"],
    retryAfter: "2",
  });
  await running.settle();
  await (await budget.begin(narrow, true)).giveBack();
  const of = (owner: string) => limited(undefined, { owner });
  const two = [await budget.begin(of("jo"), true), await budget.begin(of("jo"), true)];
  expect((await refusalOf(budget.begin(of("jo"), true)))?.policies).toEqual(["owner-streams"]);
  await budget.begin(of("kim"), true);
  await two[0]?.settle();
  await budget.begin(of("jo"), true);
});

test("visitors share a cap a day, whoever they are, and midnight gives a new one", async () => {
  const { budget, clock, database } = await open();
  const visitor = (name: string) => limited({ turns: 20 }, { visitorId: name });
  for (const name of ["a", "b"]) await (await budget.begin(visitor(name), true)).settle();
  await (await budget.begin(limited(undefined, { visitorIp: "203.0.113.7" }), true)).settle();
  const again = await open(database);
  expect(await refusalOf(again.budget.begin(visitor("c"), true))).toEqual({
    code: "quota_exceeded",
    policies: ["visitor-turns-per-day"],
    retryAfter: "3600",
  });
  await again.budget.begin(limited({ turns: 1 }), true);
  clock.ms += 3_600_000;
  await budget.begin(visitor("c"), true);
});

test("tokens of the model are set apart before they are spent, and what was spent is there after a restart", async () => {
  const { budget, database } = await open();
  const mine = limited({ modelTokens: 1_000 });
  const [one, two] = [await budget.begin(mine, true), await budget.begin(mine, true)];
  expect(one.takeTokens(10)?.maxTokens).toBe(500);
  const second = two.takeTokens(400);
  expect(second?.maxTokens).toBe(400);
  expect(two.takeTokens(400)?.maxTokens).toBe(100);
  expect(() => one.takeTokens(1)).toThrow("in use");
  expect((await refusalOf(budget.begin(mine, true)))?.retryAfter).toBe("2");
  second?.settle(250);
  await two.settle();
  expect(await budget.used(mine)).toEqual({ turns: 0, modelTokens: 250 });
  const later = await (await open(database)).budget.begin(mine, true);
  expect(later.takeTokens(10)?.maxTokens).toBe(375);
});

test("a session without bounds is not counted, and nothing is remembered of it", async () => {
  const { budget, store } = await open();
  const free = limited(undefined);
  const begun = await budget.begin(free, true);
  expect(begun.takeTokens(10)).toBeUndefined();
  await begun.settle();
  expect(await store.read(free.projectId, free.sid)).toEqual({ turns: 0, modelTokens: 0 });
});

test("when nothing can be counted nothing is taken", async () => {
  const { store } = await open();
  let fails = true;
  const budget = createSessionBudget({
    store: {
      ...store,
      takeTurn: (turn) => (fails ? Promise.reject(new Error("disk full")) : store.takeTurn(turn)),
    },
    settingsOf: () => settings,
  });
  const mine = limited({ turns: 1, streams: 1, modelTokens: 10 });
  await expect(budget.begin(mine, true)).rejects.toThrow("disk full");
  fails = false;
  const begun = await budget.begin(mine, true);
  expect(begun.takeTokens(1)?.maxTokens).toBe(5);
});

/** What may happen at any moment: runs begin, take tokens, end, or turn out not to take place. */
const acts = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({ kind: "begin" as const }) },
    fc.record({
      kind: fc.constantFrom(
        "take" as const,
        "pay" as const,
        "settle" as const,
        "giveBack" as const,
      ),
      which: fc.nat(20),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  ),
  { maxLength: 60 },
);

test("in no order of events is more spent than there was, and in the end nothing is held back", async () => {
  const { store } = await open();
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 2_000 }),
      acts,
      fc.infiniteStream(fc.nat(3)),
      async (turns, modelTokens, steps, waits) => {
        /** Whatever touches the store takes its own time, before and after. */
        const pause = async () => {
          for (let turn = waits.next().value ?? 0; turn > 0; turn -= 1) {
            await new Promise((resolve) => setImmediate(resolve));
          }
        };
        const slow = async <T>(work: () => Promise<T>): Promise<T> => {
          await pause();
          const result = await work();
          await pause();
          return result;
        };
        const budget = createSessionBudget({
          store: {
            ...store,
            takeTurn: (turn) => slow(() => store.takeTurn(turn)),
            giveBackTurn: (turn) => slow(() => store.giveBackTurn(turn)),
            addModelTokens: (session, tokens) => slow(() => store.addModelTokens(session, tokens)),
          },
          settingsOf: () => settings,
        });
        const mine = limited({ turns, modelTokens });
        const open_: { run: RunBudget; shares: TokenShare[] }[] = [];
        const pending: Promise<unknown>[] = [];
        let begun = 0;
        let spent = 0;
        for (const step of steps) {
          if (step.kind === "begin") {
            pending.push(
              budget.begin(mine, true).then(
                (run) => {
                  begun += 1;
                  open_.push({ run, shares: [] });
                },
                () => undefined,
              ),
            );
            continue;
          }
          await pause();
          const entry = open_[step.which % Math.max(1, open_.length)];
          if (!entry) continue;
          if (step.kind === "take") {
            try {
              const share = entry.run.takeTokens(Math.ceil(step.part * 500));
              if (share) entry.shares.push(share);
            } catch {
              // Nothing was left.
            }
          } else if (step.kind === "pay") {
            const share = entry.shares.pop();
            const cost = Math.floor((share?.maxTokens ?? 0) * step.part);
            share?.settle(cost);
            spent += cost;
          } else if (entry.shares.length === 0) {
            open_.splice(open_.indexOf(entry), 1);
            if (step.kind === "giveBack") begun -= 1;
            pending.push(step.kind === "settle" ? entry.run.settle() : entry.run.giveBack());
          }
          expect(spent).toBeLessThanOrEqual(modelTokens);
        }
        await Promise.all(pending);
        expect(begun).toBeLessThanOrEqual(turns);
        for (const { run, shares } of open_) {
          for (const share of shares) share.settle(0);
          await run.settle();
        }
        const used = await store.read(mine.projectId, mine.sid);
        expect(used.turns).toBe(begun);
        expect(used.modelTokens).toBe(spent);
        // All that was not spent can be had: turn by turn, and token by token.
        for (let turn = begun; turn < turns && spent < modelTokens; turn += 1) {
          const run = await budget.begin(mine, true);
          const share = run.takeTokens(modelTokens);
          expect(share?.maxTokens).toBe(modelTokens - spent);
          share?.settle(0);
        }
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

test("a pot is there while a run shares it, and not longer", () => {
  const pots = createTokenPots();
  const [one, two] = [pots.join("ses_1", 100), pots.join("ses_1", 100)];
  one.fill(40);
  two.fill(0);
  expect(one.take(1)?.maxTokens).toBe(30);
  one.leave();
  expect(pots.size).toBe(1);
  two.leave();
  expect(pots.size).toBe(0);
});
