import fc from "fast-check";
import { expect, test } from "vitest";
import { createOwnerSketch } from "./owner-sketch.ts";

test("the bound is never less than the sessions that have not expired", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ owner: fc.nat(20), expiresAtS: fc.integer({ min: 0, max: 100_000 }) })),
      fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 5 }),
      (sessions, times) => {
        const sketch = createOwnerSketch();
        for (const { owner, expiresAtS } of sessions) sketch.add(`owner ${owner}`, expiresAtS);
        for (const nowS of times.sort((one, other) => one - other)) {
          for (let owner = 0; owner <= 20; owner += 1) {
            const live = sessions.filter((each) => each.owner === owner && each.expiresAtS > nowS);
            expect(sketch.atMost(`owner ${owner}`, nowS)).toBeGreaterThanOrEqual(live.length);
          }
        }
      },
    ),
  );
});

test("among half a million live sessions hardly anybody looks as if they were near a cap of 50", () => {
  const sketch = createOwnerSketch();
  for (let owner = 0; owner < 500_000; owner += 1) sketch.add(`prj_1\nuser-${owner}`, 3_600);
  let near = 0;
  for (let owner = 0; owner < 10_000; owner += 1) {
    if (sketch.atMost(`prj_1\nuser-${owner}`, 0) > 25) near += 1;
  }
  expect(near).toBe(0);
});

test("sessions no longer count when the hour in which they expire is over", () => {
  const sketch = createOwnerSketch();
  sketch.add("jo", 4_000);
  expect(sketch.atMost("jo", 4_001)).toBe(1);
  expect(sketch.atMost("jo", 7_200)).toBe(0);
});
