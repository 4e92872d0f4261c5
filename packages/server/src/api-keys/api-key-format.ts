import { createHmac, type KeyObject } from "node:crypto";
import { crc32 } from "node:zlib";
import { type RandomBytes, randomBase62, toBase62 } from "../base62.ts";

/**
 * `agk_live_<kid:12>_<secret:43><crc:6>`, 71 characters. The id is public and names the key
 * everywhere; the secret holds 256 bits; the checksum tells typing errors and finds from other
 * texts without asking anyone, so that secret scanners match exactly.
 */
const shape = /^agk_(?:live|test)_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}$/;

/** A key just made. The only moment at which its text exists on the server. */
export interface NewApiKey {
  readonly kid: string;
  readonly text: string;
}

/** Makes a key. */
export function createApiKey(random?: RandomBytes): NewApiKey {
  const kid = randomBase62(12, random);
  const body = `agk_live_${kid}_${randomBase62(43, random)}`;
  return { kid, text: `${body}${checksum(body)}` };
}

/** The id inside a well-formed key; `undefined` for every other text, a mistyped key included. */
export function parseApiKey(text: string): string | undefined {
  if (text.length !== 71) return undefined;
  const kid = shape.exec(text)?.[1];
  return kid && checksum(text.slice(0, -6)) === text.slice(-6) ? kid : undefined;
}

/** What is stored of a key: HMAC-SHA-256 under a pepper that the database does not hold. */
export function digestApiKey(text: string, pepper: KeyObject): Buffer {
  return createHmac("sha256", pepper).update(text).digest();
}

/** How a key is shown in lists. */
export function maskApiKey(kid: string): string {
  return `agk_live_${kid}_…`;
}

function checksum(body: string): string {
  return toBase62(crc32(body), 6);
}
