import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBase62, randomBase62, toBase62 } from "./base62.ts";

test("numbers survive the trip through base62", () => {
  fc.assert(
    fc.property(fc.nat(), (value) => {
      expect(fromBase62(toBase62(value, 6))).toBe(value);
    }),
  );
});

test("random texts have the length asked for, whatever bytes come", () => {
  fc.assert(
    fc.property(fc.nat(80), fc.infiniteStream(fc.nat(255)), (length, bytes) => {
      const random = (size: number) =>
        Uint8Array.from({ length: size }, () => bytes.next().value ?? 0);
      expect(randomBase62(length, random)).toMatch(new RegExp(`^[0-9A-Za-z]{${length}}$`));
    }),
  );
});

test("digits outside the alphabet are no number", () => {
  expect(fromBase62("1-2")).toBeNaN();
});
