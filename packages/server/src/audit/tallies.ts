import type { Audit } from "./audit.ts";

/**
 * Acts that come too often for a line each: they are counted, and every minute what was counted
 * becomes a few lines. A crash loses the counts of the last minute.
 */
export interface Tallies {
  /** A credential was refused, for the reason of its error code. */
  refused(reason: string, network: string): void;
  /** Somebody did not get into the dashboard. */
  signInFailed(network: string): void;
  minted(projectId: string, kid: string): void;
  /** Writes what was counted; what could not be written is counted on. */
  flush(): Promise<void>;
}

/** What {@link createTallies} needs. */
export interface TalliesOptions {
  readonly audit: Pick<Audit, "recordAll">;
  readonly now?: () => number;
  /** Kinds of refusals, networks included, that are told apart within a minute. @default 200 */
  readonly maxKinds?: number;
}

/** What one project's keys have made. */
type Minted = Map<string, number>;

/** Creates counters whose memory is bounded, whoever asks from wherever. */
export function createTallies({ audit, now = Date.now, maxKinds = 200 }: TalliesOptions): Tallies {
  let sinceMs = now();
  let refusals = new Map<string, number>();
  let signIns = new Map<string, number>();
  let mints = new Map<string, Minted>();

  /** Beyond the bound, networks are not told apart: a flood from everywhere stays one line. */
  function count(counts: Map<string, number>, reason: string, network: string): void {
    const name = `${reason}\n${network}`;
    const kind = counts.has(name) || counts.size < maxKinds ? name : `${reason}\nothers`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }

  function takeMint(projectId: string, kid: string, times: number): void {
    const keys = mints.get(projectId) ?? new Map<string, number>();
    mints.set(projectId, keys.set(kid, (keys.get(kid) ?? 0) + times));
  }

  return {
    refused: (reason, network) => count(refusals, reason, network),
    signInFailed: (network) => count(signIns, "sign_in", network),
    minted: (projectId, kid) => takeMint(projectId, kid, 1),
    async flush() {
      const [refused, failed, minted, fromMs] = [refusals, signIns, mints, sinceMs];
      sinceMs = now();
      if (refused.size + failed.size + minted.size === 0) return;
      [refusals, signIns, mints] = [new Map(), new Map(), new Map()];
      const period = { from_ms: fromMs, to_ms: sinceMs };
      const counted = (event: string, counts: Map<string, number>) => ({
        actor: "server",
        event,
        detail: { ...period, total: sum(counts), counts: toList(counts) },
      });
      const lines = [
        ...(refused.size > 0 ? [counted("auth.failed", refused)] : []),
        ...(failed.size > 0 ? [counted("console.failed", failed)] : []),
        ...[...minted].map(([projectId, keys]) => ({
          actor: "server",
          event: "session.minted",
          projectId,
          detail: { ...period, total: sum(keys), keys: Object.fromEntries(keys) },
        })),
      ];
      try {
        await audit.recordAll(lines);
      } catch (error) {
        sinceMs = fromMs;
        for (const [kind, times] of refused) refusals.set(kind, (refusals.get(kind) ?? 0) + times);
        for (const [kind, times] of failed) signIns.set(kind, (signIns.get(kind) ?? 0) + times);
        for (const [projectId, keys] of minted) {
          for (const [kid, times] of keys) takeMint(projectId, kid, times);
        }
        throw error;
      }
    },
  };
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, times) => total + times, 0);
}

function toList(counts: ReadonlyMap<string, number>): unknown[] {
  return [...counts].map(([kind, times]) => {
    const [reason, network] = kind.split("\n");
    return { reason, network, times };
  });
}
