import { hkdfSync, randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { AuditKeys } from "../audit/audit-chain.ts";

const secret = z.base64().refine((text) => Buffer.from(text, "base64").length >= 32);
const epochs = z.record(z.string().regex(/^[0-9A-Za-z]$/), secret);
const file = z.strictObject({
  environment: z.string().min(1),
  current_epoch: z.string().regex(/^[0-9A-Za-z]$/),
  pepper: epochs,
  token_mac: epochs,
  key_copy: secret,
  sign_in: secret,
  source_cookie: secret,
});

/** The secrets that stand outside the database. Losing them ends every key and session. */
export interface Secrets {
  /** Goes into every token's checksum, so that a token of one environment is junk in another. */
  readonly environment: string;
  /** The epoch letter that new keys and tokens are made under. */
  readonly currentEpoch: string;
  /** For the digests of API keys, by epoch. */
  readonly pepper: ReadonlyMap<string, Buffer>;
  /** For the checksums of session tokens, by epoch. */
  readonly tokenMac: ReadonlyMap<string, Buffer>;
  /** Seals the copies of keys that people chose to keep. 32 bytes. */
  readonly keyCopy: Buffer;
  /** Signs the cookies of people. */
  readonly signIn: string;
  /** Signs the cookie of source pages. */
  readonly sourceCookie: Buffer;
  /** Makes the ids of threads; derived from `key_copy`, too. */
  readonly threadIds: Buffer;
  /** Seals the audit and names people in it; derived from `key_copy`, which is never replaced. */
  readonly audit: AuditKeys;
}

/**
 * Reads `secrets.json` of a data folder, and makes it (0600) where there is none.
 *
 * @throws When the file is there and is not whole: new secrets would silently end every key.
 */
export function loadSecrets(folder: string): Secrets {
  const path = join(folder, "secrets.json");
  if (!existsSync(path)) writeSecrets(path);
  let parsed: z.output<typeof file>;
  try {
    parsed = file.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    throw new Error(
      `${path} is damaged. Restore it from your backup: without it no API key can be verified.`,
    );
  }
  if (!parsed.pepper[parsed.current_epoch] || !parsed.token_mac[parsed.current_epoch]) {
    throw new Error(`${path} has no secret for its current epoch.`);
  }
  const keyCopy = Buffer.from(parsed.key_copy, "base64").subarray(0, 32);
  return {
    environment: parsed.environment,
    currentEpoch: parsed.current_epoch,
    pepper: toBuffers(parsed.pepper),
    tokenMac: toBuffers(parsed.token_mac),
    keyCopy,
    signIn: parsed.sign_in,
    sourceCookie: Buffer.from(parsed.source_cookie, "base64"),
    threadIds: derive(keyCopy, "valet thread ids 1"),
    audit: {
      seal: derive(keyCopy, "valet audit seal 1"),
      reference: derive(keyCopy, "valet audit reference 1"),
    },
  };
}

/** A key for one purpose (RFC 5869), so that secrets files without a field for it stay whole. */
function derive(secret: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", purpose, 32));
}

/**
 * The content of a folder's `secrets.json`, for a backup.
 *
 * @throws When the file is not whole.
 */
export function readSecretsFile(folder: string): Record<string, unknown> {
  loadSecrets(folder);
  return file.parse(JSON.parse(readFileSync(join(folder, "secrets.json"), "utf8")));
}

/**
 * Writes `secrets.json` (0600) with the content that {@link readSecretsFile} gave.
 *
 * @throws When it is none.
 */
export function writeSecretsFile(folder: string, content: Readonly<Record<string, unknown>>): void {
  writeWhole(join(folder, "secrets.json"), file.parse(content));
}

function writeSecrets(path: string): void {
  const make = () => randomBytes(32).toString("base64");
  const content: z.input<typeof file> = {
    environment: randomBytes(8).toString("hex"),
    current_epoch: "A",
    pepper: { A: make() },
    token_mac: { A: make() },
    key_copy: make(),
    sign_in: make(),
    source_cookie: make(),
  };
  writeWhole(path, content);
}

/** Written beside and renamed: a crash leaves either no secrets or all of them. */
function writeWhole(path: string, content: z.input<typeof file>): void {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

function toBuffers(byEpoch: Readonly<Record<string, string>>): Map<string, Buffer> {
  return new Map(
    Object.entries(byEpoch).map(([epoch, text]) => [epoch, Buffer.from(text, "base64")]),
  );
}
