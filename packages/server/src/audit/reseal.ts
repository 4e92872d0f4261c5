import { createHash } from "node:crypto";
import { z } from "zod";
import type { AuditRow } from "../database/schema.ts";
import { hashLine } from "./audit-chain.ts";

/** The event of the line that begins a broken chain anew. */
export const resealEvent = "audit.resealed";

/** What all lines so far are, whether or not they fit each other. */
export interface LinesDigest {
  add(line: AuditRow): void;
  /** SHA-256 of all that was added, in hex. */
  hex(): string;
}

/** Creates the digest of no lines. */
export function createLinesDigest(): LinesDigest {
  const sum = createHash("sha256").update("valet-audit-lines-1\n");
  return {
    add(line) {
      // What the line says, by the hash that it should have, and both hashes that it has.
      const said = hashLine(line.prev_hash, line).toString("hex");
      const stored = `${line.prev_hash.toString("hex")} ${line.hash.toString("hex")}`;
      sum.update(`${line.n} ${said} ${stored}\n`);
    },
    hex: () => sum.copy().digest("hex"),
  };
}

const detail = z.object({
  before: z.string(),
  reason: z.string(),
  n: z.int(),
  fault: z.enum(["changed", "replaced", "missing", "added", "unsealed", "not_anchored"]),
});

/** What a line says that resealed the chain. */
export interface Reseal {
  readonly found: Pick<z.output<typeof detail>, "n" | "fault">;
  readonly reason: string;
}

/**
 * Reads a line that resealed the chain behind lines of a digest; undefined for every other line,
 * and for one whose lines are not those that it was written behind.
 */
export function readReseal(line: AuditRow, before: string): Reseal | undefined {
  if (line.event !== resealEvent || line.detail === null) return undefined;
  if (!hashLine(line.prev_hash, line).equals(line.hash)) return undefined;
  const read = detail.safeParse(toJson(line.detail));
  if (!read.success || read.data.before !== before) return undefined;
  const { n, fault, reason } = read.data;
  return { found: { n, fault }, reason };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
