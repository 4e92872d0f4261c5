import fc from "fast-check";
import { expect, test } from "vitest";
import { someSession } from "../agent/testing/agent-harness.ts";
import { type ProjectSettingsInput, projectSettings } from "../projects/project-settings.ts";
import { narrowPolicy, policyOfProject, policyOfRequest } from "./narrow-policy.ts";
import { createPolicyInForce } from "./policy-in-force.ts";
import type { SessionPolicy } from "./principal.ts";

const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { maxLength: 4 });
const origins = fc.uniqueArray(
  fc.constantFrom("https://a.example", "https://b.example", "https://c.example"),
  { minLength: 1, maxLength: 3 },
);
const count = fc.integer({ min: 1, max: 50 });
const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
const some = { requiredKeys: [] };

const requests = fc
  .record(
    {
      origins,
      limits: fc.record({ turns: count, model_tokens: count, streams: count }, some),
      allow: fc.record({ models: names, tools: names, source_groups: names }, some),
    },
    some,
  )
  .map((request) => request as Parameters<typeof policyOfRequest>[0]);

const settings = fc.record({
  allowed_origins: orNull(origins),
  session: fc.record({
    turns: orNull(count),
    model_tokens: orNull(count),
    streams: orNull(count),
  }),
  allow: fc.record({ models: orNull(names), tools: orNull(names), source_groups: orNull(names) }),
  visitors: fc.record({ turns_per_session: count }),
});

/** Whether everything that one policy allows the other allows as well. */
function isWithin(narrow: SessionPolicy, wide: SessionPolicy): boolean {
  const fits = (mine?: readonly string[], most?: readonly string[]) =>
    !most || (mine?.every((each) => most.includes(each)) ?? false);
  const isLess = (mine?: number, most?: number) =>
    most === undefined || (mine !== undefined && mine <= most);
  return (
    fits(narrow.origins, wide.origins) &&
    fits(narrow.allow?.models, wide.allow?.models) &&
    fits(narrow.allow?.tools, wide.allow?.tools) &&
    fits(narrow.allow?.sourceGroups, wide.allow?.sourceGroups) &&
    isLess(narrow.limits?.turns, wide.limits?.turns) &&
    isLess(narrow.limits?.modelTokens, wide.limits?.modelTokens) &&
    isLess(narrow.limits?.streams, wide.limits?.streams)
  );
}

test("what a session may do is never more than was asked for, than its project gave, or than it gives now", () => {
  fc.assert(
    fc.property(
      requests,
      settings,
      fc.array(settings, { maxLength: 4 }),
      fc.boolean(),
      (request, atMint, later, visitor) => {
        const parse = (said: unknown) => projectSettings.parse(said as ProjectSettingsInput);
        const asked = policyOfRequest(request);
        const given = policyOfProject(parse(atMint), visitor);
        const minted = narrowPolicy(asked, given);
        expect(isWithin(minted, asked) && isWithin(minted, given)).toBe(true);
        let now = parse(atMint);
        const inForce = createPolicyInForce(() => now);
        const session = someSession({ policy: minted, visitorId: visitor ? "v" : null });
        for (const change of later) {
          now = parse(change);
          const { policy } = inForce(session);
          expect(isWithin(policy, minted)).toBe(true);
          expect(isWithin(policy, policyOfProject(now, visitor))).toBe(true);
        }
      },
    ),
  );
});

test("narrowing takes nothing that both sides allow, in whatever order they come", () => {
  fc.assert(
    fc.property(requests, requests, (one, other) => {
      const [mine, yours] = [policyOfRequest(one), policyOfRequest(other)];
      expect(narrowPolicy(mine, mine)).toEqual(mine);
      expect(narrowPolicy(mine, {})).toEqual(mine);
      const [there, back] = [narrowPolicy(mine, yours), narrowPolicy(yours, mine)];
      expect(isWithin(there, back) && isWithin(back, there)).toBe(true);
    }),
  );
});

test("a policy that stayed the same is the same object, and a change of the settings is seen at once", () => {
  let now = projectSettings.parse({});
  const inForce = createPolicyInForce(() => now);
  const session = someSession({ policy: { limits: { turns: 9 } } });
  expect(inForce(session)).toBe(session);
  now = projectSettings.parse({ session: { turns: 3 } });
  const narrowed = inForce(session);
  expect(narrowed.policy.limits?.turns).toBe(3);
  expect(inForce(session)).toBe(narrowed);
});
