import type { NewAudit } from "../database/schema.ts";

/** Where lines of the audit are kept. They are only ever added. */
export interface AuditStore {
  insert(line: NewAudit): Promise<void>;
}

/** Who did what, when. Acts that change a row write their line together with the row instead. */
export interface Audit {
  record(line: AuditLine): Promise<void>;
}

/** One line of the audit. Never holds a secret. */
export interface AuditLine {
  /** A person's id, `key:<kid>`, `command`, or `page`. */
  readonly actor: string;
  /** Noun and past participle: `key.revealed`. */
  readonly event: string;
  readonly target?: string | null;
  readonly projectId?: string;
  readonly requestId?: string;
}

/** Opens the audit of a store. */
export function createAudit({
  store,
  now = Date.now,
}: {
  readonly store: AuditStore;
  readonly now?: () => number;
}): Audit {
  return {
    record: ({ actor, event, target = null, projectId, requestId }) =>
      store.insert({
        at_ms: now(),
        project_id: projectId ?? null,
        actor,
        event,
        target,
        request_id: requestId ?? null,
        detail: null,
      }),
  };
}
