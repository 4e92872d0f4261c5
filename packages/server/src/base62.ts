import { randomBytes } from "node:crypto";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The largest multiple of 62 in a byte: above it, a byte is drawn again, so that none is favoured. */
const unbiased = 248;

/** Fills a buffer with unpredictable bytes. */
export type RandomBytes = (size: number) => Uint8Array;

/** A text of `length` characters of `0-9A-Za-z`, each equally likely. */
export function randomBase62(length: number, random: RandomBytes = randomBytes): string {
  let text = "";
  while (text.length < length) {
    for (const byte of random(length - text.length + 16)) {
      if (byte >= unbiased) continue;
      text += alphabet[byte % 62];
      if (text.length === length) break;
    }
  }
  return text;
}

/** A whole number as base62, padded with zeros to `length` and cut to its last `length` digits. */
export function toBase62(value: bigint | number, length: number): string {
  if (typeof value === "number") return numberToBase62(value, length);
  let rest = value;
  let text = "";
  for (let at = 0; at < length; at += 1) {
    text = `${alphabet[Number(rest % 62n)]}${text}`;
    rest /= 62n;
  }
  return text;
}

/** Small numbers need no big ones: this is on the way of every API key. */
function numberToBase62(value: number, length: number): string {
  let rest = value;
  let text = "";
  for (let at = 0; at < length; at += 1) {
    text = `${alphabet[rest % 62]}${text}`;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** The number that base62 digits stand for. Digits outside the alphabet make it `NaN`. */
export function fromBase62(text: string): number {
  let value = 0;
  for (const digit of text) {
    const at = alphabet.indexOf(digit);
    if (at < 0) return Number.NaN;
    value = value * 62 + at;
  }
  return value;
}
