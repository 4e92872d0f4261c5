import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { openSequencePlace, type SequencePlace, someSequence } from "./support/agent-sequences.ts";

let place: SequencePlace;
beforeAll(async () => {
  place = await openSequencePlace();
});
afterAll(() => place.close());

test("whatever the network, the person and the page do, what is shown, kept, run and asked is what was meant", async () => {
  const property = fc.asyncProperty(someSequence, (sequence) => place.check(sequence));
  await fc.assert(property, { numRuns: 150 });
});
