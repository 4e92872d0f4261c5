import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createApiKey, parseApiKey } from "../../packages/server/src/api-keys/api-key-format.ts";
import { root } from "../support/programs.ts";
import { publishedPattern, scanRandomText } from "../support/secret-scan.ts";

/** T34: a key has leaked into a repository, and scanners do not recognise it. */

test("the pattern that SECURITY.md tells scanners finds every key, wherever it stands", () => {
  const pattern = publishedPattern();
  for (let made = 0; made < 2_000; made += 1) {
    const { text } = createApiKey();
    for (const around of [text, `KEY="${text}"`, `x-api-key: ${text}\n`, `{"key":"${text}"}`]) {
      expect(new RegExp(pattern).exec(around)?.[0]).toBe(text);
    }
    expect(parseApiKey(text)).toBeDefined();
  }
});

test("5 MB of random base64 and hex hold no text that the pattern or the checksum takes for a key", () => {
  expect(scanRandomText(5, randomBytes)).toEqual({ megabytes: 5, found: [] });
});

test("what looks like a key and is none is told by its checksum, without asking anyone", () => {
  const { text } = createApiKey();
  const swapped = `${text.slice(0, 30)}${text[31]}${text[30]}${text.slice(32)}`;
  if (swapped !== text) expect(parseApiKey(swapped)).toBeUndefined();
  expect(parseApiKey(text.toUpperCase())).toBeUndefined();
  expect(parseApiKey(` ${text}`)).toBeUndefined();
});

test("no key lies in this repository's own documentation", () => {
  for (const file of ["README.md", "SECURITY.md"]) {
    const found =
      readFileSync(`${root}/${file}`, "utf8").match(
        /agk_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}/g,
      ) ?? [];
    expect(found.filter((key) => parseApiKey(key) !== undefined)).toEqual([]);
  }
});
