import fc from "fast-check";
import { openTokens, outcomes } from "./open-tokens.ts";

/** Continual use, with a clock that is wrong by a constant amount. */
export interface ContinualUse {
  /** The true life of the tokens. */
  readonly lifeS: number;
  /** What the page's clock is ahead of the server's. */
  readonly aheadMs: number;
  readonly saysExpiresIn: boolean;
  readonly everyMs: number;
  readonly forMs: number;
}

/** How tokens may live and clocks be wrong. */
export const continual: fc.Arbitrary<Omit<ContinualUse, "forMs">> = fc.record({
  lifeS: fc.oneof(fc.constantFrom(10, 20, 60, 600, 3_600), fc.integer({ min: 10, max: 3_600 })),
  aheadMs: fc.oneof(
    fc.constantFrom(0, 50_000, 3_420_000, 3_570_000, 3_599_400, 7_200_000, -7_200_000),
    fc.integer({ min: -10_800_000, max: 10_800_000 }),
  ),
  saysExpiresIn: fc.boolean(),
  everyMs: fc.integer({ min: 1_000, max: 20_000 }),
});

/** Uses a manager so, and says what of the thirteenth rule it breaks. */
export async function breaksContinualUse(given: ContinualUse): Promise<unknown> {
  const { time, endpoint, send, told } = openTokens();
  endpoint.lifeS = given.lifeS;
  endpoint.serverAheadMs = -given.aheadMs;
  endpoint.saysExpiresIn = given.saysExpiresIn;
  const sent = [];
  for (let atMs = 0; atMs < given.forMs; atMs += given.everyMs) {
    sent.push(send());
    await time.advance(given.everyMs);
  }
  await time.advance(1_000);
  const calls = endpoint.calls.length;
  const refusals = told("rejected").length;
  const errors = outcomes(sent).filter((outcome) => outcome !== "200");
  const lifeMs = given.lifeS * 1000;
  const lives = Math.ceil(given.forMs / (lifeMs - Math.min(30_000, lifeMs / 4)));
  const mostRefusals = given.saysExpiresIn ? 0 : Math.ceil(given.forMs / lifeMs) + 1;
  const mostCalls = given.saysExpiresIn
    ? lives + 1
    : Math.max(lives, given.forMs / 570_000) + 4 + refusals;
  const isKept = errors.length === 0 && refusals <= mostRefusals && calls <= mostCalls;
  return isKept ? undefined : { given, calls, mostCalls, refusals, mostRefusals, errors };
}
