import fc from "fast-check";
import { expect, test } from "vitest";
import { createTokenPots, type TokenPot, type TokenShare } from "./token-pots.ts";

/** A call under way: its share, and by how much it will cost more than that. */
interface Call {
  readonly share: TokenShare;
  readonly over: number;
}

test("calls at the same time take a pot beyond its bound by no more than each goes beyond its share", () => {
  const acts = fc.array(
    fc.record({
      run: fc.nat(3),
      atLeast: fc.integer({ min: 1, max: 400 }),
      // How much of its share a call uses, and what it costs beyond it: its prompt was longer than
      // its estimate, or its model said more than it was told to.
      used: fc.double({ min: 0, max: 1, noNaN: true }),
      over: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 300 })),
      ends: fc.boolean(),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), acts, (limit, steps) => {
      const pots = createTokenPots();
      const runs: TokenPot[] = Array.from({ length: 4 }, () => pots.join("ses_1", limit));
      runs[0]?.fill(0);
      const underWay: (Call & { readonly used: number })[] = [];
      let spent = 0;
      let allowed = limit;
      const end = (call: Call & { readonly used: number }) => {
        const cost = Math.floor(call.share.maxTokens * call.used) + call.over;
        call.share.settle(cost);
        spent += cost;
        allowed += call.over;
      };
      for (const { run, atLeast, used, over, ends } of steps) {
        const setApart = underWay.reduce((sum, { share }) => sum + share.maxTokens, 0);
        const share = runs[run]?.take(atLeast);
        // The account is exact: there is a share just as long as something is left.
        expect(share !== undefined).toBe(spent + setApart < limit);
        if (share) underWay.push({ share, over, used });
        if (ends) underWay.splice(0, 1).forEach(end);
        expect(spent).toBeLessThanOrEqual(allowed);
      }
      underWay.splice(0).forEach(end);
      expect(spent).toBeLessThanOrEqual(allowed);
      expect(runs[0]?.take(1) === undefined).toBe(spent >= limit);
    }),
  );
});

test("a call that cost more than its share leaves nothing for the next one", () => {
  const pots = createTokenPots();
  const pot = pots.join("ses_1", 100);
  pot.fill(0);
  const share = pot.take(90);
  expect(share?.maxTokens).toBe(90);
  share?.settle(130);
  expect(pot.state()).toBe("empty");
  expect(pot.take(1)).toBeUndefined();
  expect(pot.spent).toBe(130);
});
