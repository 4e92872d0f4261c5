import type { AuditScope, AuditStore } from "../audit/audit.ts";
import { isSealOf } from "../audit/audit-chain.ts";
import { ownerReference } from "../audit/owner-reference.ts";
import { appendAudit } from "./append-audit.ts";
import { auditSealingOf } from "./audit-keys.ts";
import type { Database } from "./database.ts";
import { resealAudit } from "./reseal-audit.ts";

/** The audit in SQL. */
export function createSqlAuditStore(database: Database): AuditStore {
  function linesOf(scope: AuditScope | undefined) {
    return database
      .selectFrom("audit")
      .selectAll()
      .$if(scope !== undefined, (query) =>
        query.where((eb) =>
          eb.or([
            eb("project_id", "in", scope?.projectIds ?? []),
            eb("team_id", "in", scope?.teamIds ?? []),
          ]),
        ),
      );
  }

  return {
    append: (lines) => database.transaction().execute((db) => appendAudit(db, lines)),
    reference: (who) => ownerReference(auditSealingOf(database).keys.reference, who),
    after: (n, limit, scope) =>
      linesOf(scope).where("n", ">", n).orderBy("n").limit(limit).execute(),
    list: ({ scope, event, actor, target, fromMs, toMs, beforeN, limit }) =>
      linesOf(scope)
        .$if(event !== undefined, (query) =>
          event?.endsWith(".*")
            ? // The names of events have no `%` and no `_` that could stand for something else.
              query
                .where("event", ">=", event.slice(0, -1))
                .where("event", "<", `${event.slice(0, -2)}/`)
            : query.where("event", "=", event ?? ""),
        )
        .$if(actor !== undefined, (query) => query.where("actor", "=", actor ?? ""))
        .$if(target !== undefined, (query) => query.where("target", "=", target ?? ""))
        .$if(fromMs !== undefined, (query) => query.where("at_ms", ">=", fromMs ?? 0))
        .$if(toMs !== undefined, (query) => query.where("at_ms", "<", toMs ?? 0))
        .$if(beforeN !== undefined, (query) => query.where("n", "<", beforeN ?? 0))
        .orderBy("n", "desc")
        .limit(limit)
        .execute(),
    head: async () => {
      const row = await database
        .selectFrom("audit_head")
        .selectAll()
        .where("id", "=", 1)
        .executeTakeFirstOrThrow();
      const { n, hash } = row;
      const isSealed = isSealOf(auditSealingOf(database).keys.seal, { n, hash }, row.seal);
      return { n, hash, isSealed, brokenAtMs: row.broken_at_ms };
    },
    reseal: (toLine) => resealAudit(database, toLine),
    ends: async () => {
      const row = await database
        .selectFrom("audit_head")
        .select((eb) => [
          "audit_head.n as headN",
          eb
            .selectFrom("audit")
            .select((inner) => inner.fn.max("audit.n").as("n"))
            .as("lastN"),
        ])
        .executeTakeFirstOrThrow();
      return { headN: row.headN, lastN: Number(row.lastN ?? 0) };
    },
  };
}
