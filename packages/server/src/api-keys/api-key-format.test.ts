import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createApiKey, digestApiKey, maskApiKey, parseApiKey } from "./api-key-format.ts";

const scanner = /^agk_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/;

test("every key made is 71 characters that a secret scanner recognises, and names its id", () => {
  for (let round = 0; round < 500; round += 1) {
    const { kid, text } = createApiKey();
    expect(text).toHaveLength(71);
    expect(text).toMatch(scanner);
    expect(parseApiKey(text)).toBe(kid);
  }
});

test("one wrong character anywhere makes a key ill-formed, so a typing error is told offline", () => {
  const { text } = createApiKey();
  fc.assert(
    fc.property(fc.nat(70), fc.constantFrom(..."0aZ_-$é"), (at, character) => {
      fc.pre(text[at] !== character);
      expect(parseApiKey(`${text.slice(0, at)}${character}${text.slice(at + 1)}`)).toBeUndefined();
    }),
  );
});

test("no other text is taken for a key", () => {
  fc.assert(fc.property(fc.string(), (text) => parseApiKey(text) === undefined));
});

test("the digest depends on the pepper, and the mask shows nothing of the secret", () => {
  const { kid, text } = createApiKey();
  const one = digestApiKey(text, createSecretKey(Buffer.alloc(32, 1)));
  expect(one).toHaveLength(32);
  expect(one.equals(digestApiKey(text, createSecretKey(Buffer.alloc(32, 2))))).toBe(false);
  expect(maskApiKey(kid)).toBe(`agk_live_${kid}_…`);
});
