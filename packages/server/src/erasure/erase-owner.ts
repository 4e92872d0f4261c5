import type { Runs } from "../agent/runs.ts";
import { type Actor, auditLine } from "../audit/audit-context.ts";
import { ownerReference } from "../audit/owner-reference.ts";
import type { RemovalStore } from "../database/removal-store.ts";
import type { NewAudit } from "../database/schema.ts";
import type { Projects } from "../projects/projects.ts";
import type { Revocations } from "../sessions/revocations.ts";
import { type RemovedOwner, removeOwner } from "./remove-owner.ts";

/** What an erasure removed. */
export interface Erased extends RemovedOwner {
  readonly streams: number;
  /**
   * Whether the log of an embedded database is empty. Not while a backup reads it: then it is
   * emptied with the next erasure, or when the server closes.
   */
  readonly logCleared: boolean;
}

/** Erases everything that is kept about one owner of a project. */
export interface OwnerErasure {
  /**
   * Ends the owner's sessions and streams, then removes conversations, sessions and usage in small
   * steps. The audit keeps what happened and names the owner by reference. Doing it again is safe:
   * an erasure that was cut off goes on.
   *
   * @throws `ProblemError` `not_found`, for a project that is not there.
   */
  erase(options: EraseOptions): Promise<Erased>;
}

/** Whose data is erased, and who wants it. */
export interface EraseOptions {
  readonly projectId: string;
  readonly owner: string;
  /** Whether a block of the owner goes too; it holds the owner's id. @default false */
  readonly forgetBlock?: boolean;
  readonly actor: Actor;
}

/** Where an erasure is written down. */
export interface ErasureStore {
  /** Forgets the revocations of the owner and writes erasure and audit, all or nothing. */
  finish(options: {
    readonly projectId: string;
    readonly owner: string;
    /** By which the audit names the owner. */
    readonly reference: string;
    readonly atMs: number;
    readonly audit: NewAudit;
  }): Promise<void>;
  /** Takes what was deleted out of the database's log, too. False when somebody reads it. */
  clearLog(): Promise<boolean>;
}

/** What {@link createOwnerErasure} needs. */
export interface OwnerErasureOptions {
  readonly projects: Pick<Projects, "get">;
  readonly revocations: Pick<Revocations, "revoke" | "blocked">;
  readonly runs: Pick<Runs, "active">;
  readonly removal: RemovalStore;
  readonly store: ErasureStore;
  /** Of the audit's keys. */
  readonly referenceKey: Buffer;
  readonly now?: () => number;
}

/** Creates the erasure of one server. */
export function createOwnerErasure({
  projects,
  revocations,
  runs,
  removal,
  store,
  referenceKey,
  now = Date.now,
}: OwnerErasureOptions): OwnerErasure {
  return {
    async erase({ projectId: asked, owner, forgetBlock = false, actor }) {
      const { id: projectId } = await projects.get(asked);
      const target = { kind: "owner" as const, target: owner };
      const [streams = 0] = await revocations.revoke({ projectId, targets: [target], actor });
      if (forgetBlock && isBlocked(revocations, projectId, owner)) {
        await revocations.revoke({ projectId, targets: [target], block: false, actor });
      }
      const removed = await removeOwner({ removal, projectId, owner, runs });
      const atMs = now();
      const counts = { ...removed, streams };
      await store.finish({
        projectId,
        owner,
        reference: ownerReference(referenceKey, { projectId, kind: "owner", id: owner }),
        atMs,
        audit: auditLine(actor, {
          atMs,
          event: "owner.erased",
          target: `owner:${owner}`,
          projectId,
          detail: counts,
        }),
      });
      return { ...counts, logCleared: await store.clearLog() };
    },
  };
}

function isBlocked(
  revocations: Pick<Revocations, "blocked">,
  projectId: string,
  owner: string,
): boolean {
  return revocations
    .blocked(projectId)
    .some(({ kind, target }) => kind === "owner" && target === owner);
}
