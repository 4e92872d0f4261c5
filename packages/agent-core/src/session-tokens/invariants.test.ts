import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openTokens, outcomes } from "../testing/open-tokens.ts";
import { checkTokenMachine } from "../testing/token-machine.ts";

test("no sequence of uses, time, clocks, answers, refusals, aborts, resets and re-entries breaks a rule", async () => {
  const taken = await checkTokenMachine(1_000);
  const text = readFileSync(new URL("./states.md", import.meta.url), "utf8");
  const drawn = new Set(text.match(/[A-Z]+ --> [A-Z]+/g));
  const isDrawn = (transition: string): boolean => {
    const [from, to] = transition.split(" --> ");
    // Time alone leads on, and something else further before anybody looks.
    const between = from === "REFRESHING" ? "ACQUIRING" : "EMPTY";
    const isOverTime =
      /READY|REFRESHING|COOLING/.test(from ?? "") && drawn.has(`${between} --> ${to}`);
    return drawn.has(transition) || isOverTime;
  };
  expect([...taken].filter((transition) => !isDrawn(transition))).toEqual([]);
  expect(taken.size).toBeGreaterThanOrEqual(15);
}, 120_000);

test("however the 401s of one token come in, they cost one call and everybody gets an answer", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 14_000 }),
      async (latenciesMs, endpointMs) => {
        const { time, endpoint, get, send } = openTokens();
        get();
        await time.advance(100);
        endpoint.latencyMs = endpointMs;
        endpoint.revoked.add("token-1");
        const sent = latenciesMs.map((latencyMs) => send({ latencyMs }));
        await time.advance(100_000);
        expect(new Set(outcomes(sent))).toEqual(new Set(["200"]));
        expect(endpoint.calls).toHaveLength(2);
        expect(endpoint.sends).toHaveLength(2 * latenciesMs.length);
      },
    ),
    { numRuns: 200 },
  );
});

/** Continual use over some hours, with a clock that is wrong by a constant amount. */
async function useContinually(terms: {
  readonly lifeS: number;
  readonly aheadMs: number;
  readonly saysExpiresIn: boolean;
  readonly everyMs: number;
  readonly forMs: number;
}): Promise<{ calls: number; refusals: number; errors: string[]; uses: number }> {
  const { time, endpoint, send, told } = openTokens();
  endpoint.lifeS = terms.lifeS;
  endpoint.serverAheadMs = -terms.aheadMs;
  endpoint.saysExpiresIn = terms.saysExpiresIn;
  const sent = [];
  for (let atMs = 0; atMs < terms.forMs; atMs += terms.everyMs) {
    sent.push(send());
    await time.advance(terms.everyMs);
  }
  await time.advance(1_000);
  return {
    calls: endpoint.calls.length,
    refusals: told("rejected").length,
    errors: outcomes(sent).filter((outcome) => outcome !== "200"),
    uses: sent.length,
  };
}

const terms = fc.record({
  lifeS: fc.oneof(fc.constantFrom(10, 20, 60, 600, 3_600), fc.integer({ min: 10, max: 3_600 })),
  aheadMs: fc.oneof(
    fc.constantFrom(0, 50_000, 3_420_000, 3_570_000, 3_599_400, 7_200_000, -7_200_000),
    fc.integer({ min: -10_800_000, max: 10_800_000 }),
  ),
  everyMs: fc.integer({ min: 1_000, max: 20_000 }),
  forMs: fc.constantFrom(3_600_000, 3 * 3_600_000),
});

test("neither a wrong clock nor a short life costs a call for every use, and nobody sees an error", async () => {
  await fc.assert(
    fc.asyncProperty(terms, fc.boolean(), async (given, saysExpiresIn) => {
      const { calls, refusals, errors } = await useContinually({ ...given, saysExpiresIn });
      const lifeMs = given.lifeS * 1000;
      const renewedAfterMs = lifeMs - Math.min(30_000, lifeMs / 4);
      const lives = Math.ceil(given.forMs / renewedAfterMs);
      expect(errors).toEqual([]);
      if (saysExpiresIn) {
        expect(calls).toBeLessThanOrEqual(lives + 1);
        expect(refusals).toBe(0);
      } else {
        expect(refusals).toBeLessThanOrEqual(Math.ceil(given.forMs / lifeMs) + 1);
        expect(calls).toBeLessThanOrEqual(Math.max(lives, given.forMs / 570_000) + 4 + refusals);
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);
