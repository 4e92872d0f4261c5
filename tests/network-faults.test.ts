import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FaultyPlace, type Outcome, openFaultyPlace } from "./support/faulty-conversation.ts";
import type { Fault } from "./support/faulty-proxy.ts";

/** Everything that an answer may have, over a real wire that breaks. */
const folder = mkdtempSync(join(tmpdir(), "valet-faults-"));
let place: FaultyPlace;
let whole: Outcome;

beforeAll(async () => {
  writeFileSync(
    join(folder, "garden.md"),
    "# Gardens\n\n## Watering tomatoes\n\nTomatoes need two litres of water a day.\n",
  );
  place = await openFaultyPlace(folder);
  whole = await place.converse();
});
afterAll(async () => {
  await place.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What must be the same whatever the wire did: all but how much went over it. */
const kept = ({ seen: _, areFaultsDone: __, ...outcome }: Outcome) => outcome;

test("without a fault the answer has all that an answer may have", () => {
  expect(whole).toMatchObject({
    threads: 1,
    modelCalls: 3,
    messages: [
      { role: "user" },
      { content: expect.stringContaining("🚰"), sources: [{ cited: true }] },
    ],
  });
  expect([...whole.executed].sort()).toEqual([
    'order_water {"litres":2}',
    'read_page {"part":"title"}',
  ]);
  expect(whole.stored).toHaveLength(2);
  expect(whole.seen.frames).toBeGreaterThan(25);
});

/**
 * Has the conversation once more for each number, and holds it against the whole one. What comes
 * behind the last frame of a run may never be sent, as the client has hung up by then.
 */
async function compare(count: number, faultAt: (number: number) => Fault): Promise<void> {
  let missed = 0;
  for (let number = 0; number < count; number += 1) {
    const fault = faultAt(number);
    const outcome = await place.converse([fault]);
    expect([fault, kept(outcome)]).toEqual([fault, kept(whole)]);
    if (!outcome.areFaultsDone) missed += 1;
  }
  expect(missed).toBeLessThanOrEqual(4);
}

test("a connection that is cut behind any frame leaves no trace in the answer", () =>
  compare(whole.seen.frames, (number) => ({ after: "frame", number, bytesMore: 0 })));

test("nor does one that is cut in the middle of any frame", () =>
  compare(whole.seen.frames, (number) => ({ after: "frame", number, bytesMore: 20 })));

test("nor one that is cut on any request, before the server has seen it or before it has answered", async () => {
  expect(whole.seen.requests).toBeGreaterThanOrEqual(2);
  await compare(whole.seen.requests, (number) => ({ after: "request", number }));
  await compare(whole.seen.requests, (number) => ({ after: "answer", number }));
});
