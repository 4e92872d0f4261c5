import fc from "fast-check";
import { expect, test } from "vitest";
import { createApiKey } from "./api-key-format.ts";
import { attempt, type OpenKeys, openKeys } from "./testing/open-keys.ts";

/** What is true of a key, in as few words as it can be said. */
interface Truth {
  readonly kid: string;
  readonly secret: string;
  isRevoked: boolean;
  isDisabled: boolean;
  expiresAtMs: number;
  /** When it ends because it was replaced. */
  goneAtMs: number;
  isReplaced: boolean;
}

const step = fc.record({
  which: fc.nat(),
  act: fc.constantFrom("create", "disable", "enable", "revoke", "rotate", "end grace", "expiry"),
  amountMs: fc.integer({ min: 0, max: 604_800_000 }),
  passesMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400_000_000 })),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function expected(truth: Truth, nowMs: number): string {
  if (truth.isRevoked) return "key_revoked";
  if (truth.isDisabled) return "key_disabled";
  if (truth.expiresAtMs <= nowMs) return "key_expired";
  return truth.goneAtMs <= nowMs ? "key_rotated" : truth.kid;
}

async function take({ act, which, amountMs }: Step, truths: Truth[], opened: OpenKeys) {
  const { keys, projectId, clock } = opened;
  const never = Number.POSITIVE_INFINITY;
  const state = { isRevoked: false, isDisabled: false, goneAtMs: never, isReplaced: false };
  const truth = truths[which % Math.max(truths.length, 1)];
  if (act === "create" || !truth) {
    const isLasting = amountMs % 2 === 0;
    const expiresAtMs = isLasting ? null : clock.ms + amountMs + 1;
    const made = await keys.create({ projectId, name: "k", actor: "a", expiresAtMs });
    const { kid } = made.row;
    truths.push({ ...state, kid, secret: made.secret, expiresAtMs: expiresAtMs ?? never });
    return;
  }
  const on = { projectId, kid: truth.kid, actor: "a" };
  const nowMs = clock.ms;
  const may = !truth.isRevoked;
  const done = async (work: Promise<unknown>) =>
    work.then(
      () => true,
      () => false,
    );
  switch (act) {
    case "disable":
      expect(await done(keys.disable(on))).toBe(may);
      truth.isDisabled ||= may;
      return;
    case "enable":
      expect(await done(keys.enable(on))).toBe(may);
      if (may) truth.isDisabled = false;
      return;
    case "revoke":
      expect(await done(keys.revoke(on))).toBe(true);
      truth.isRevoked = true;
      return;
    case "expiry":
      expect(await done(keys.update(on, { expiresAtMs: nowMs + amountMs }))).toBe(may);
      if (may) truth.expiresAtMs = nowMs + amountMs;
      return;
    case "end grace":
      expect(await done(keys.endGrace(on))).toBe(may && truth.isReplaced);
      if (may && truth.isReplaced) truth.goneAtMs = Math.min(truth.goneAtMs, nowMs);
      return;
    case "rotate": {
      const isPast = truth.expiresAtMs <= nowMs;
      const rotated = await keys
        .rotate(on, { overlapMs: amountMs, expiresAtMs: null })
        .catch(() => undefined);
      expect(rotated !== undefined).toBe(may && !truth.isReplaced && !isPast);
      if (!rotated) return;
      truth.isReplaced = true;
      truth.goneAtMs = Math.min(nowMs + amountMs, truth.expiresAtMs);
      const { row, secret } = rotated.made;
      truths.push({ ...state, kid: row.kid, secret, expiresAtMs: never });
    }
  }
}

test("whatever is done to keys, and whenever, each is good exactly as long as its story says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const opened = await openKeys();
      const truths: Truth[] = [];
      for (const each of steps) {
        await take(each, truths, opened);
        opened.clock.ms += each.passesMs;
        for (const truth of truths) {
          expect(opened.attempt(truth.secret)).toBe(expected(truth, opened.clock.ms));
          const isOff = truth.isRevoked || truth.isDisabled;
          expect(opened.keys.refusesSessions(truth.kid)).toBe(isOff);
        }
      }
      expect(opened.attempt(createApiKey().text)).toBe("invalid_api_key");
      const again = await opened.reopen();
      for (const truth of truths) {
        expect(attempt(again, truth.secret)).toBe(expected(truth, opened.clock.ms));
      }
      await opened.keys.flushUsage(true);
      await opened.database.destroy();
    }),
    { numRuns: 60 },
  );
});
