import type { AuditRow, NewAudit } from "../database/schema.ts";
import type { AuditEnd } from "./audit-chain.ts";
import { type Actor, type AuditFacts, auditLine } from "./audit-context.ts";
import type { ownerReference } from "./owner-reference.ts";

/** Where lines of the audit are kept. They are only ever added. */
export interface AuditStore {
  append(lines: readonly NewAudit[]): Promise<void>;
  /** Lines after `n`, in their order, at most `limit`. */
  after(n: number, limit: number, scope?: AuditScope): Promise<AuditRow[]>;
  /** Lines that fit, newest first. */
  list(filter: AuditFilter): Promise<AuditRow[]>;
  /** By which name an owner or a visitor stands in the audit. */
  reference(who: Parameters<typeof ownerReference>[1]): string;
  /** Where the chain ends, and whether its seal fits. */
  head(): Promise<AuditHead>;
  /**
   * Adds a line behind everything that is there, whatever that is, and seals the chain with it.
   *
   * @param toLine Makes the line, of the digest of all lines before it.
   * @returns Its number.
   */
  reseal(toLine: (before: string) => NewAudit): Promise<number>;
  /** The last line there is and the end of the chain, as of one instant. */
  ends(): Promise<{ readonly lastN: number; readonly headN: number }>;
}

/** Whose lines: those of projects, and those of teams that are of no project. */
export interface AuditScope {
  readonly projectIds: readonly string[];
  readonly teamIds: readonly string[];
}

/** Which lines {@link AuditStore.list} gives. */
export interface AuditFilter {
  readonly scope?: AuditScope;
  /** An event, or all of a noun: `key.*`. */
  readonly event?: string;
  readonly actor?: string;
  readonly target?: string;
  readonly fromMs?: number;
  /** Only lines before this instant. */
  readonly toMs?: number;
  /** Only lines before this one. */
  readonly beforeN?: number;
  readonly limit: number;
}

/** The end of the chain. */
export interface AuditHead extends AuditEnd {
  readonly isSealed: boolean;
  /** When it was first seen that the seal does not fit. */
  readonly brokenAtMs: number | null;
}

/** Who did what, when. Acts that change a row write their line together with the row instead. */
export interface Audit {
  record(line: AuditLine): Promise<void>;
  /** Several lines, all or none. */
  recordAll(lines: readonly AuditLine[]): Promise<void>;
}

/** One line of the audit. Never holds a secret. */
export type AuditLine = Omit<AuditFacts, "atMs"> & { readonly actor: Actor };

/** Opens the audit of a store. */
export function createAudit({
  store,
  now = Date.now,
}: {
  readonly store: Pick<AuditStore, "append">;
  readonly now?: () => number;
}): Audit {
  const recordAll = (lines: readonly AuditLine[]): Promise<void> =>
    store.append(lines.map(({ actor, ...facts }) => auditLine(actor, { ...facts, atMs: now() })));
  return { record: (line) => recordAll([line]), recordAll };
}
