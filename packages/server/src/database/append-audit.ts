import type { Kysely } from "kysely";
import { hashLine, isSealOf, sealEnd } from "../audit/audit-chain.ts";
import { referTarget } from "../audit/owner-reference.ts";
import { auditSealingOf } from "./audit-keys.ts";
import type { AuditRow, NewAudit, Schema } from "./schema.ts";

/** Rows of one statement, within the number of parameters that every database takes. */
const rowsAtOnce = 100;

/**
 * Adds lines to the audit, inside the transaction of what they tell of: the one way in. Call it
 * last in the transaction, because it locks the end of the chain until the transaction is over.
 *
 * Owners and visitors among the targets are written as references. A seal that does not fit is
 * told and marked; it never gets one that fits in its place, so that adding a line cannot make a
 * forged chain good.
 */
export async function appendAudit(db: Kysely<Schema>, lines: readonly NewAudit[]): Promise<void> {
  if (lines.length === 0) return;
  const { keys, onBrokenSeal } = auditSealingOf(db);
  // The update comes first: whoever else wants to add a line waits here.
  const head = await db
    .updateTable("audit_head")
    .set((eb) => ({ n: eb("n", "+", lines.length) }))
    .where("id", "=", 1)
    .returning(["n", "hash", "seal", "broken_at_ms"])
    .executeTakeFirstOrThrow();
  const before = { n: head.n - lines.length, hash: head.hash };
  const isWhole = isSealOf(keys.seal, before, head.seal);

  let end = before;
  const rows: AuditRow[] = [];
  for (const line of lines) {
    const fields = { ...toStored(line, keys.reference), n: end.n + 1 };
    const hash = hashLine(end.hash, fields);
    rows.push({ ...fields, prev_hash: end.hash, hash });
    end = { n: fields.n, hash };
  }
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    await db
      .insertInto("audit")
      .values(rows.slice(at, at + rowsAtOnce))
      .execute();
  }
  await db
    .updateTable("audit_head")
    .set({
      hash: end.hash,
      ...(isWhole
        ? { seal: sealEnd(keys.seal, end) }
        : { broken_at_ms: head.broken_at_ms ?? lines[0]?.at_ms ?? 0 }),
    })
    .where("id", "=", 1)
    .execute();
  if (!isWhole) onBrokenSeal?.(before.n);
}

/** A line as it will be read again, whichever database keeps it. */
export function toStored(
  line: NewAudit,
  referenceKey: Buffer,
): Omit<AuditRow, "n" | "prev_hash" | "hash"> {
  const projectId = line.project_id ?? null;
  return {
    at_ms: line.at_ms,
    team_id: line.team_id ?? null,
    project_id: projectId,
    actor: toText(line.actor),
    event: toText(line.event),
    target: toTextOrNull(referTarget(referenceKey, projectId, line.target ?? null)),
    request_id: line.request_id ?? null,
    address: line.address ?? null,
    agent: line.agent ?? null,
    detail: toTextOrNull(toJson(line.detail ?? null)),
  };
}

/** Databases keep no half of a surrogate pair, and PostgreSQL no NUL. */
function toText(text: string): string {
  return Buffer.from(text).toString().replaceAll("\0", "\uFFFD");
}

function toTextOrNull(text: string | null): string | null {
  return text === null ? null : toText(text);
}

/** JSON that comes out the same when it is read and written again, as an export does. */
function toJson(detail: string | null): string | null {
  if (detail === null || detail === "null") return null;
  try {
    return JSON.stringify(JSON.parse(detail));
  } catch {
    return JSON.stringify(detail);
  }
}
