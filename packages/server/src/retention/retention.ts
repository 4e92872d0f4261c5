import type { Chore } from "../clean-up/clean-up.ts";
import type { RemovalStore } from "../database/removal-store.ts";

/** What {@link retentionChores} needs. */
export interface RetentionOptions {
  readonly removal: RemovalStore;
  /** The ids of all projects. */
  readonly projects: () => Promise<readonly string[]>;
  /** For how many days a project keeps things. */
  readonly daysOf: (projectId: string) => number;
  /** How long the rows of a deleted conversation stay, in days. @default 7 */
  readonly graceDays?: number;
}

/** The most conversations of one step. */
const stepThreads = 50;
const dayMs = 24 * 3600_000;

/**
 * Removes what is older than its project keeps it, and what was deleted a while ago, as chores of
 * the clean-up. The audit is not touched.
 */
export function retentionChores({
  removal,
  projects,
  daysOf,
  graceDays = 7,
}: RetentionOptions): readonly Chore[] {
  /** The first project that has something to do does a step of it. */
  async function perProject(step: (projectId: string) => Promise<number>): Promise<number> {
    for (const id of await projects()) {
      const count = await step(id);
      if (count > 0) return count;
    }
    return 0;
  }

  return [
    {
      name: "old conversations",
      step: (nowMs, limit) =>
        perProject((id) => removal.expireThreads(id, nowMs - daysOf(id) * dayMs, limit)),
    },
    {
      name: "deleted conversations",
      async step(nowMs, limit) {
        const ids = await removal.threadsDeletedBefore(nowMs - graceDays * dayMs, stepThreads);
        const removed = await removal.removeThreads(ids, limit);
        return Object.values(removed).reduce((sum: number, count: number) => sum + count, 0);
      },
    },
    {
      name: "usage by day",
      step: (nowMs, limit) =>
        perProject((id) => {
          const day = new Date(nowMs - daysOf(id) * dayMs).toISOString().slice(0, 10);
          return removal.removeUsageDays(id, day, limit);
        }),
    },
  ];
}
