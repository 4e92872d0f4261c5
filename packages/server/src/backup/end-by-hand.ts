import { auditLine } from "../audit/audit-context.ts";
import { appendAudit } from "../database/append-audit.ts";
import type { Database } from "../database/database.ts";
import { longestSessionSeconds } from "../projects/project-settings.ts";
import { BackupError } from "./backup-error.ts";

/** What whoever restores wants to be over, because no database tells. */
export interface EndByHandOptions {
  /** Ids of keys to revoke, with their sessions. */
  readonly revokeKeys?: readonly string[];
  /** Whether every session made until now is over. @default false */
  readonly endSessions?: boolean;
  /** The longest life of a session, in seconds. @default the longest that any project may choose */
  readonly maxSessionSeconds?: number;
}

/** How much was ended. */
export interface EndedByHand {
  readonly keys: number;
  /** Projects whose sessions are all over. */
  readonly projects: number;
}

/**
 * Revokes keys and ends sessions in a database that no server has.
 *
 * @throws {@link BackupError} `unknown_key`, before anything is changed.
 */
export async function endByHand(
  database: Database,
  {
    revokeKeys = [],
    endSessions = false,
    maxSessionSeconds = longestSessionSeconds,
  }: EndByHandOptions,
  atMs: number,
): Promise<EndedByHand> {
  const untilS = Math.ceil(atMs / 1000) + maxSessionSeconds;
  const wanted = [...new Set(revokeKeys)];
  const keys = wanted.length
    ? await database
        .selectFrom("api_key")
        .select(["kid", "project_id"])
        .where("kid", "in", wanted)
        .execute()
    : [];
  const strange = wanted.filter((kid) => !keys.some((key) => key.kid === kid));
  if (strange.length > 0) {
    throw new BackupError("unknown_key", `The backup has no key ${strange.join(", ")}.`);
  }
  const projects = endSessions ? await database.selectFrom("project").select("id").execute() : [];
  const line = (event: string, projectId: string, target: string) =>
    auditLine("command", { atMs, event, projectId, target, detail: { reason: "restore" } });
  for (const { kid, project_id: projectId } of keys) {
    await database
      .updateTable("api_key")
      .set({ revoked_at_ms: atMs, sealed_copy: null })
      .where("kid", "=", kid)
      .where("revoked_at_ms", "is", null)
      .execute();
    await mark(database, { atMs, untilS, projectId, kind: "key", target: kid });
    await appendAudit(database, [line("key.revoked", projectId, kid)]);
  }
  for (const { id } of projects) {
    await mark(database, { atMs, untilS, projectId: id, kind: "project", target: id });
    await appendAudit(database, [line("sessions.revoked", id, `project:${id}`)]);
  }
  return { keys: keys.length, projects: projects.length };
}

async function mark(
  database: Database,
  what: {
    atMs: number;
    untilS: number;
    projectId: string;
    kind: "key" | "project";
    target: string;
  },
): Promise<void> {
  await database
    .insertInto("revocation")
    .values({
      at_ms: what.atMs,
      project_id: what.projectId,
      kind: what.kind,
      target: what.target,
      issued_before_ms: what.atMs,
      until_s: what.untilS,
      reason: "restore",
    })
    .execute();
}
