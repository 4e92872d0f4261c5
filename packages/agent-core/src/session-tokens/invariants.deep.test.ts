import fc from "fast-check";
import { expect, test } from "vitest";
import { breaksContinualUse, continual } from "../testing/continual-use.ts";
import { checkTokenMachine } from "../testing/token-commands.ts";

test("twenty thousand sequences do not break a rule either", async () => {
  await checkTokenMachine(20_000);
}, 1_500_000);

test("two thousand wrong clocks and short lives do not cost more than the rule allows", async () => {
  await fc.assert(
    fc.asyncProperty(continual, async (given) => {
      expect(await breaksContinualUse({ ...given, forMs: 3_600_000 })).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
});
