import { randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import type { AuditKeys } from "../audit/audit-chain.ts";
import type { Schema } from "./schema.ts";

/** What the audit of a database needs beside it. */
export interface AuditSealing {
  readonly keys: AuditKeys;
  /** Told, each time, when a line is added to a chain whose seal does not fit. */
  readonly onBrokenSeal?: (n: number) => void;
}

/** A transaction is not the database it belongs to, but both have the same adapter. */
const sealings = new WeakMap<object, AuditSealing>();

/** Gives a database the keys of its audit, for whatever is done with it from here on. */
export function giveAuditSealing(database: Kysely<Schema>, sealing: AuditSealing): void {
  sealings.set(database.getExecutor().adapter, sealing);
}

/** The keys of a database, or of the one that a transaction is of. */
export function auditSealingOf(db: Kysely<Schema>): AuditSealing {
  const sealing = sealings.get(db.getExecutor().adapter);
  if (!sealing) throw new Error("The database was not opened by openDatabase().");
  return sealing;
}

/** Keys that nobody has: for a database that is gone when its test is. */
export function passingAuditKeys(): AuditKeys {
  return { seal: randomBytes(32), reference: randomBytes(32) };
}
