import { expect, test } from "vitest";
import { createCalibration } from "./calibration.ts";

const short = 60_000;
const long = 600_000;

/** Lives through leases that the clock ends; which of them the server was to end. */
function live(calibration: ReturnType<typeof createCalibration>, lives: number[]): boolean[] {
  return lives.map((lifeMs) => {
    const isDoubted = calibration.begin(lifeMs, 0);
    calibration.ended();
    return isDoubted;
  });
}

test("the fourth short life in a row is put to the test", () => {
  expect(live(createCalibration(), [short, short, short, short])).toEqual([
    false,
    false,
    false,
    true,
  ]);
  expect(live(createCalibration(), [1_001, 599_999, short, short])[3]).toBe(true);
});

test("a long life between them starts the count anew, a dead one does not count", () => {
  expect(live(createCalibration(), [short, short, long, short, short, short])).not.toContain(true);
  expect(live(createCalibration(), [short, short, 1_000, short, short])).toEqual([
    false,
    false,
    false,
    false,
    true,
  ]);
});

test("lives of which the reply says more are none of its business", () => {
  const calibration = createCalibration();
  live(calibration, [short, short, short]);
  expect(calibration.begin(undefined, 0)).toBe(false);
});

test("a probe that is taken more than 5 s after its end proves the clock wrong, for good", () => {
  const calibration = createCalibration();
  live(calibration, [short, short, short]);
  calibration.begin(short, 1_000);
  expect(calibration.accepted(short)).toBe(false);
  expect(calibration.accepted(1_000 + short + 5_000)).toBe(false);
  expect(calibration.accepted(1_000 + short + 5_001)).toBe(true);
  expect(calibration.accepted(1_000 + short + 9_000)).toBe(false);
  expect(live(calibration, [short, long, short])).toEqual([true, false, true]);
});

test("a probe that is refused at its end proves the clock right, for good", () => {
  const calibration = createCalibration();
  live(calibration, [short, short, short]);
  calibration.begin(short, 1_000);
  calibration.refused(1_000 + short);
  expect(live(calibration, Array(10).fill(short))).not.toContain(true);
});

test("a refusal before the end, of a probe or another short life, starts the count anew", () => {
  const probed = createCalibration();
  live(probed, [short, short, short]);
  probed.begin(short, 0);
  probed.refused(short - 1);
  expect(live(probed, [short, short, short, short])).toEqual([false, false, false, true]);

  const counted = createCalibration();
  live(counted, [short, short]);
  counted.begin(short, 0);
  counted.refused(10);
  expect(live(counted, [short, short, short, short])).toEqual([false, false, false, true]);
});
