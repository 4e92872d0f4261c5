import fc from "fast-check";
import { expect, test } from "vitest";
import { createSessionTokenFormat } from "./session-token-format.ts";

const key = Buffer.alloc(32, 7);
const format = createSessionTokenFormat({
  environment: "test",
  currentEpoch: "A",
  macKeys: new Map([["A", key]]),
});
const nowS = 1_800_000_000;

test("a token is exactly 64 base62 characters and says when it ends", () => {
  fc.assert(
    fc.property(fc.integer({ min: nowS + 1, max: nowS + 86_400 }), (expiresAtS) => {
      const token = format.create(expiresAtS);
      expect(token).toMatch(/^[0-9A-Za-z]{64}$/);
      expect(format.read(token, nowS * 1000)).toEqual({ kind: "ok", expiresAtS });
    }),
  );
});

test("a token ends in the very millisecond of its expiry", () => {
  const token = format.create(nowS);
  expect(format.read(token, nowS * 1000 - 1)).toEqual({ kind: "ok", expiresAtS: nowS });
  expect(format.read(token, nowS * 1000)).toEqual({ kind: "expired" });
});

test("one changed character anywhere makes a token forged, its expiry included", () => {
  const token = format.create(nowS + 3600);
  fc.assert(
    fc.property(fc.nat(63), fc.constantFrom(..."0123456789ABCxyz-é "), (at, character) => {
      fc.pre(token[at] !== character);
      const changed = `${token.slice(0, at)}${character}${token.slice(at + 1)}`;
      expect(format.read(changed, nowS * 1000)).toEqual({ kind: "forged" });
    }),
  );
});

test("junk of every shape is forged", () => {
  fc.assert(fc.property(fc.string(), (text) => format.read(text, nowS * 1000).kind === "forged"));
  const shaped = fc.stringMatching(/^S[0-9A-Za-z]{63}$/);
  fc.assert(fc.property(shaped, (text) => format.read(text, nowS * 1000).kind === "forged"));
});

test("a token of another environment or of a secret that is gone is forged", () => {
  const token = format.create(nowS + 3600);
  const macKeys = new Map([["A", key]]);
  const other = createSessionTokenFormat({ environment: "other", currentEpoch: "A", macKeys });
  expect(other.read(token, nowS * 1000)).toEqual({ kind: "forged" });
  const rotated = createSessionTokenFormat({
    environment: "test",
    currentEpoch: "B",
    macKeys: new Map([["B", Buffer.alloc(32, 9)]]),
  });
  expect(rotated.read(token, nowS * 1000)).toEqual({ kind: "forged" });
});

test("tokens of an earlier epoch stay good while its secret is kept", () => {
  const token = format.create(nowS + 3600);
  const rotated = createSessionTokenFormat({
    environment: "test",
    currentEpoch: "B",
    macKeys: new Map([
      ["A", key],
      ["B", Buffer.alloc(32, 9)],
    ]),
  });
  expect(rotated.read(token, nowS * 1000).kind).toBe("ok");
  expect(rotated.create(nowS + 60).charAt(1)).toBe("B");
});

test("the random part favours no character in any place", () => {
  const counts = new Map<string, number>();
  const tokens = 4000;
  for (let round = 0; round < tokens; round += 1) {
    const random = format.create(nowS).slice(8, 53);
    for (const character of random) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  const expected = (tokens * 45) / 62;
  let chiSquare = 0;
  for (const count of counts.values()) chiSquare += (count - expected) ** 2 / expected;
  expect(counts.size).toBe(62);
  // 61 degrees of freedom: 120 is beyond one chance in a hundred thousand.
  expect(chiSquare).toBeLessThan(120);
});
