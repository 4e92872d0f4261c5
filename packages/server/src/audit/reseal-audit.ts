import type { Logger } from "pino";
import { ProblemError } from "../http/problem-answer.ts";
import type { AuditStore } from "./audit.ts";
import { type AuditContext, auditLine } from "./audit-context.ts";
import { resealEvent } from "./reseal.ts";
import { type AuditBreak, describeFault, verifyAudit } from "./verify-audit.ts";

/** What {@link resealAudit} needs. */
export interface ResealAuditOptions {
  readonly store: AuditStore;
  /** What was found out about the break. Stays in the audit. */
  readonly reason: string;
  readonly actor: AuditContext;
  readonly log: Pick<Logger, "warn">;
  readonly now?: () => number;
}

/**
 * Begins a chain anew that is broken: adds a line that says what was wrong, why, and what all lines
 * before it are, and seals that. The break is told by every verification from then on, and nothing
 * before it can be changed any more without being found.
 *
 * @throws {@link ProblemError} `conflict` when nothing is wrong.
 */
export async function resealAudit({
  store,
  reason,
  actor,
  log,
  now = Date.now,
}: ResealAuditOptions): Promise<AuditBreak> {
  const verdict = await verifyAudit(store);
  if (verdict.ok) {
    throw new ProblemError("conflict", { detail: "The audit is whole: there is nothing to seal." });
  }
  const { n, fault } = verdict;
  const resealedBy = await store.reseal((before) =>
    auditLine(actor, { atMs: now(), event: resealEvent, detail: { before, n, fault, reason } }),
  );
  log.warn(
    { part: "audit", n, fault, resealedBy },
    `the audit was resealed: ${describeFault(verdict)}`,
  );
  return { n, fault, resealedBy, reason };
}
