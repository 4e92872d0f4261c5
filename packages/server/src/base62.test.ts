import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBase62, randomBase62, toBase62, writeLastElevenDigits } from "./base62.ts";

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

test("the last eleven digits of 32 bytes are those that a BigInt gives", () => {
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const byBigInt = (bytes: Uint8Array) => {
    let rest = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
    let text = "";
    for (let at = 0; at < 11; at += 1) {
      text = `${alphabet[Number(rest % 62n)]}${text}`;
      rest /= 62n;
    }
    return text;
  };
  const byte = fc.oneof(fc.constantFrom(0, 1, 127, 128, 254, 255), fc.nat(255));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.array(byte), (random, some) => {
      const bytes = Buffer.from([...some.slice(0, 32), ...random.subarray(some.length)]);
      const target = Buffer.alloc(11);
      writeLastElevenDigits(bytes, target);
      expect(target.toString("latin1")).toBe(byBigInt(bytes));
    }),
    { numRuns: 2_000 },
  );
});

test("the pool of random bytes favours no digit, and gives no text twice", () => {
  const counts = new Map<string, number>();
  const texts = new Set<string>();
  const length = 45;
  const rounds = 20_000;
  for (let round = 0; round < rounds; round += 1) {
    const text = randomBase62(length);
    texts.add(text);
    for (const digit of text) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  }
  expect(texts.size).toBe(rounds);
  const expected = (rounds * length) / 62;
  let chiSquare = 0;
  for (const count of counts.values()) chiSquare += (count - expected) ** 2 / expected;
  expect(counts.size).toBe(62);
  // 61 degrees of freedom: 120 is beyond one chance in a hundred thousand.
  expect(chiSquare).toBeLessThan(120);
});
