import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FaultyPlace, type Outcome, openFaultyPlace } from "./support/faulty-conversation.ts";
import type { Fault } from "./support/faulty-proxy.ts";

/** Two cuts in one conversation, closed or reset. */
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

const kept = ({ seen: _, areFaultsDone: __, ...outcome }: Outcome) => outcome;

/** Where the connection may break; the second of two is counted from the first. */
function allFaults(): Fault[] {
  const faults: Fault[] = [];
  for (let number = 0; number < whole.seen.frames; number += 1) {
    faults.push({ after: "frame", number, bytesMore: number % 2 === 0 ? 0 : 20 });
  }
  for (let number = 0; number < whole.seen.requests + 1; number += 1) {
    faults.push({ after: "request", number }, { after: "answer", number });
  }
  return faults;
}

for (const how of ["FIN", "RST"] as const) {
  test(`two cuts by ${how} anywhere leave no trace in the answer`, async () => {
    const faults = allFaults();
    for (const [at, first] of faults.entries()) {
      // A third of all pairs, each fault in both places.
      for (const second of faults.filter((_, other) => (at + other) % 3 === 0)) {
        const outcome = await place.converse([first, second], how);
        expect([first, second, kept(outcome)]).toEqual([first, second, kept(whole)]);
      }
    }
  });
}
