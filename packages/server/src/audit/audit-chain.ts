import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { AuditRow } from "../database/schema.ts";

/** The keys of the audit. They stand outside the database, so its writer cannot forge a chain. */
export interface AuditKeys {
  /** Seals the end of the chain. 32 bytes. */
  readonly seal: Buffer;
  /** Makes the references by which owners and visitors are named. 32 bytes. */
  readonly reference: Buffer;
}

/** Where a chain ends: its last line. */
export interface AuditEnd {
  /** The number of the last line; 0 when there is none. */
  readonly n: number;
  /** The hash of the last line; {@link chainStart} when there is none. */
  readonly hash: Buffer;
}

/** The hash that the first line follows. */
export const chainStart: Buffer = Buffer.alloc(32);

/** What of a line goes into its hash, apart from the hash before. */
export type HashedFields = Omit<AuditRow, "prev_hash" | "hash">;

/**
 * The hash of a line that follows another. JSON of an array is the encoding: fixed order, no two
 * lines with the same text, and a version in front.
 *
 * @returns SHA-256, 32 bytes.
 */
export function hashLine(previous: Buffer, line: HashedFields): Buffer {
  const text = JSON.stringify([
    "valet-audit-1",
    line.n,
    line.at_ms,
    line.team_id,
    line.project_id,
    line.actor,
    line.event,
    line.target,
    line.request_id,
    line.address,
    line.agent,
    line.detail,
    previous.toString("hex"),
  ]);
  return createHash("sha256").update(text).digest();
}

/** The seal of an end. Whoever cuts the chain or writes it anew cannot make the one that fits. */
export function sealEnd(key: Buffer, { n, hash }: AuditEnd): Buffer {
  const text = JSON.stringify(["valet-audit-seal-1", n, hash.toString("hex")]);
  return createHmac("sha256", key).update(text).digest();
}

/** Whether a seal is that of an end. */
export function isSealOf(key: Buffer, end: AuditEnd, seal: Buffer): boolean {
  const expected = sealEnd(key, end);
  return seal.length === expected.length && timingSafeEqual(seal, expected);
}
