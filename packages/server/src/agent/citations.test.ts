import fc from "fast-check";
import { expect, test } from "vitest";
import { findCitations } from "./citations.ts";

test("numbers in square brackets are citations, each once, in order", () => {
  const text = "Yes [2]. Also [1][2], and [3, 4].";
  expect(findCitations(text, () => true)).toEqual([2, 1, 3, 4]);
});

test("code and links are no citations", () => {
  const text = "`a[1]`\n```\nb[2]\n```\n[3](https://example.com) and [4]\n```\nopen [5]";
  expect(findCitations(text, () => true)).toEqual([4]);
});

test("a number without a source is never a citation", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("[", "]", "1", "2", "3", ",", " ") }), (text) => {
      expect(findCitations(text, (number) => number === 2).every((n) => n === 2)).toBe(true);
    }),
  );
});
