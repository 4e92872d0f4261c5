import { randomFillSync } from "node:crypto";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The codes of the digits, by value. */
const codes = Buffer.from(alphabet, "latin1");
/** The largest multiple of 62 in a byte: above it, a byte is drawn again, so that none is favoured. */
const unbiased = 248;

/** Fills a buffer with unpredictable bytes. */
export type RandomBytes = (size: number) => Uint8Array;

/** A text of `length` characters of `0-9A-Za-z`, each equally likely. */
export function randomBase62(length: number, random?: RandomBytes): string {
  const text = Buffer.allocUnsafe(length);
  let at = 0;
  if (random === undefined) {
    while (at < length) {
      const byte = nextByte();
      if (byte < unbiased) text[at++] = codes[byte % 62] as number;
    }
  }
  while (at < length) {
    for (const byte of random?.(length - at + 16) ?? []) {
      if (byte < unbiased) text[at++] = codes[byte % 62] as number;
      if (at === length) break;
    }
  }
  return text.toString("latin1");
}

/** Asking the system for few bytes costs as much as asking for many. */
const pool = Buffer.alloc(8_192);
let unused = 0;

/** A byte of the pool, which forgets it: what secrets were made of is kept nowhere. */
function nextByte(): number {
  if (unused === 0) {
    randomFillSync(pool);
    unused = pool.length;
  }
  unused -= 1;
  const byte = pool[unused] as number;
  pool[unused] = 0;
  return byte;
}

/**
 * A whole number of at least 0 as base62, padded with zeros to `length` and cut to its last
 * `length` digits. Exact up to 2^53.
 */
export function toBase62(value: number, length: number): string {
  let rest = value;
  // Written into bytes: a text that grows digit by digit stays a chain of pieces in memory.
  const text = Buffer.allocUnsafe(length);
  for (let at = length - 1; at >= 0; at -= 1) {
    const digit = rest % 62;
    text[at] = codes[digit] as number;
    rest = (rest - digit) / 62;
  }
  return text.toString("latin1");
}

/** Five digits: the most that keep a remainder and 16 bits more within a double. */
const fiveDigits = 62 ** 5;

/**
 * The last eleven base62 digits of the number that 32 bytes stand for, the most significant first,
 * written as character codes into `target`. Does in doubles what a BigInt would do twenty times as
 * slowly: long division, 16 bits at a time.
 */
export function writeLastElevenDigits(bytes: Buffer, target: Buffer): void {
  const limbs = new Uint16Array(16);
  for (let at = 0; at < 16; at += 1) {
    limbs[at] = ((bytes[at * 2] as number) << 8) | (bytes[at * 2 + 1] as number);
  }
  writeFive(divide(limbs), target, 6);
  writeFive(divide(limbs), target, 1);
  let remainder = 0;
  for (const limb of limbs) remainder = (remainder * 65_536 + limb) % 62;
  target[0] = codes[remainder] as number;
}

/** Divides the number by 62^5 in place. @returns The remainder. */
function divide(limbs: Uint16Array): number {
  let remainder = 0;
  for (let at = 0; at < limbs.length; at += 1) {
    const part = remainder * 65_536 + (limbs[at] as number);
    const quotient = Math.floor(part / fiveDigits);
    limbs[at] = quotient;
    remainder = part - quotient * fiveDigits;
  }
  return remainder;
}

function writeFive(value: number, target: Buffer, start: number): void {
  let rest = value;
  for (let at = start + 4; at >= start; at -= 1) {
    target[at] = codes[rest % 62] as number;
    rest = Math.floor(rest / 62);
  }
}

/** The number that base62 digits stand for. Digits outside the alphabet make it `NaN`. */
export function fromBase62(text: string): number {
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = alphabet.indexOf(text.charAt(at));
    if (digit < 0) return Number.NaN;
    value = value * 62 + digit;
  }
  return value;
}
