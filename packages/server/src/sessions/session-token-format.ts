import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from "node:crypto";
import {
  fromBase62,
  type RandomBytes,
  randomBase62,
  toBase62,
  writeLastElevenDigits,
} from "../base62.ts";

/** Where the counting of a token's expiry begins: 2020-01-01T00:00:00Z, in seconds since 1970. */
const epochStartS = 1_577_836_800;
const shape = /^S[0-9A-Za-z]{63}$/;

/** What a token's own text says. `forged` covers every text that this server never made. */
export type TokenReading =
  | { readonly kind: "ok"; readonly expiresAtS: number }
  | { readonly kind: "expired" }
  | { readonly kind: "forged" };

/** Makes and reads session tokens. */
export interface SessionTokenFormat {
  /** A new token that ends at `expiresAtS`, in seconds since 1970. */
  create(expiresAtS: number): string;
  /** Reads a text without storage. Junk costs one HMAC at most. */
  read(text: string, nowMs: number): TokenReading;
}

/** What {@link createSessionTokenFormat} needs. */
export interface SessionTokenFormatOptions {
  readonly environment: string;
  readonly currentEpoch: string;
  /** Keys of the checksum, by epoch letter. */
  readonly macKeys: ReadonlyMap<string, Buffer>;
  readonly random?: RandomBytes;
}

/**
 * The format of session tokens: exactly 64 base62 characters, opaque to clients.
 *
 * | characters | content |
 * |---|---|
 * | 0 | format letter `S` |
 * | 1 | epoch of the checksum's key |
 * | 2-7 | expiry, seconds since 2020 |
 * | 8-52 | 45 random characters, 267.9 bits |
 * | 53-63 | HMAC-SHA-256 over the environment and characters 0-52, modulo 62^11 |
 *
 * The checksum keeps forged and mistyped tokens away from storage; the expiry keeps dead ones
 * away. A token of which only the expiry was changed is forged, not expired.
 */
export function createSessionTokenFormat({
  environment,
  currentEpoch,
  macKeys,
  random,
}: SessionTokenFormatOptions): SessionTokenFormat {
  const keys = new Map([...macKeys].map(([epoch, key]) => [epoch, createSecretKey(key)]));
  const prefix = `${environment}\0`;
  // Reading and making a token never wait for anything, so one place serves every call.
  const expected = Buffer.alloc(11);
  const given = Buffer.alloc(11);

  /** Writes the checksum of a token's body into `expected`. */
  function writeChecksum(key: KeyObject, body: string): void {
    const mac = createHmac("sha256", key)
      .update(prefix + body)
      .digest();
    writeLastElevenDigits(mac, expected);
  }

  return {
    create(expiresAtS) {
      const key = keys.get(currentEpoch);
      if (!key) throw new Error("There is no secret for the current epoch.");
      const expiry = toBase62(expiresAtS - epochStartS, 6);
      const body = `S${currentEpoch}${expiry}${randomBase62(45, random)}`;
      writeChecksum(key, body);
      return body + expected.toString("latin1");
    },
    read(text, nowMs) {
      if (!shape.test(text)) return { kind: "forged" };
      const key = keys.get(text.charAt(1));
      if (!key) return { kind: "forged" };
      writeChecksum(key, text.slice(0, 53));
      given.write(text.slice(53), "latin1");
      if (!timingSafeEqual(expected, given)) return { kind: "forged" };
      const expiresAtS = epochStartS + fromBase62(text.slice(2, 8));
      return expiresAtS * 1000 <= nowMs ? { kind: "expired" } : { kind: "ok", expiresAtS };
    },
  };
}

/** What is stored of a token, and what finds it: SHA-256 of its text. */
export function digestToken(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/** The same digest as a text of 32 characters, one a byte: what a map in memory is asked for. */
export function nameToken(text: string): string {
  return hash("sha256", text, "binary");
}
