import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { scanRandomText } from "../support/secret-scan.ts";

/** T34 in full: 100 MB. */
test("100 MB of random base64 and hex hold no text that the pattern takes for a key", () => {
  expect(scanRandomText(100, randomBytes)).toEqual({ megabytes: 100, found: [] });
});
