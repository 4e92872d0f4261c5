import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { openSequencePlace, type SequencePlace, someSequence } from "./support/agent-sequences.ts";

let place: SequencePlace;
beforeAll(async () => {
  place = await openSequencePlace();
});
afterAll(() => place.close());

test("thousands of sequences end as they were meant to", async () => {
  const property = fc.asyncProperty(someSequence, (sequence) => place.check(sequence));
  await fc.assert(property, { numRuns: 1_500 });
});
