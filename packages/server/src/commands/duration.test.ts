import { expect, test } from "vitest";
import { parseDuration, parseInstant } from "./duration.ts";

test("lengths of time are read as people type them, and nothing else is", () => {
  expect(["0", "90s", "30m", "24h", "7d"].map(parseDuration)).toEqual([
    0, 90_000, 1_800_000, 86_400_000, 604_800_000,
  ]);
  for (const text of ["", "1", "1w", "-1h", "1.5h", "h", "1 h"]) {
    expect(() => parseDuration(text), text).toThrow("length of time");
  }
});

test("an instant is a day, an instant or a length of time from now", () => {
  const nowMs = Date.parse("2026-01-01T00:00:00Z");
  expect(parseInstant("2030-01-31", nowMs)).toBe("2030-01-31T00:00:00.000Z");
  expect(parseInstant("2030-01-31T12:00:00+02:00", nowMs)).toBe("2030-01-31T10:00:00.000Z");
  expect(parseInstant("90d", nowMs)).toBe("2026-04-01T00:00:00.000Z");
  for (const text of ["", "soon", "2030", "2030-13-01", "2030-01-31T12:00"]) {
    expect(() => parseInstant(text, nowMs), text).toThrow("such as 2030-01-31");
  }
});
