import { setImmediate as otherWork } from "node:timers/promises";
import type { Runs } from "../agent/runs.ts";
import type { RemovalStore, Removed } from "../database/removal-store.ts";

/** Rows of an owner that were removed. */
export interface RemovedOwner extends Removed {
  readonly sessions: number;
}

const stepRows = 500;
const stepThreads = 50;

/** Removes conversations, sessions and usage of an owner in small steps. */
export async function removeOwner({
  removal,
  projectId,
  owner,
  runs,
}: {
  readonly removal: RemovalStore;
  readonly projectId: string;
  readonly owner: string;
  /** Answers going on, whose sessions are over. @default none */
  readonly runs?: Pick<Runs, "active">;
}): Promise<RemovedOwner> {
  const removed = { threads: 0, messages: 0, calls: 0, sources: 0, feedback: 0, runs: 0 };
  for (;;) {
    const ids = await removal.threadsOf(projectId, owner, stepThreads);
    if (ids.length === 0) break;
    // An answer that was cut still writes what it had.
    for (const id of ids) await runs?.active(id)?.whenEnded;
    const step = await removal.removeThreads(ids, stepRows);
    for (const name of Object.keys(removed) as (keyof Removed)[]) removed[name] += step[name];
    await otherWork();
  }
  let sessions = 0;
  for (;;) {
    const count = await removal.removeSessionsOf(projectId, owner, stepRows);
    if (count === 0) return { ...removed, sessions };
    sessions += count;
    await otherWork();
  }
}
