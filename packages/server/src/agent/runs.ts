import { type RandomBytes, randomBase62 } from "../base62.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { OpenStreams } from "../sessions/open-streams.ts";
import type { SessionPrincipal } from "../sessions/principal.ts";
import { createRun, type Run } from "./run.ts";
import { cutFailure, RunFailure } from "./run-ending.ts";

/** The runs of this server: those going on, and for a while those that have ended. */
export interface Runs {
  /**
   * Begins a run, the only one of its thread. A revocation of its session or key aborts it.
   *
   * @param options.key What was asked, if the same may be asked again to find this run.
   * @param options.isNewTurn Whether the conversation leaves what was asked before behind. Earlier
   *   runs are then found by their keys no more: an answer may have gone, and its calls' ids may
   *   come again. @default false
   * @throws {@link ProblemError} `run_in_progress`, or `unavailable` while the server closes.
   */
  begin(options: {
    readonly threadId: string;
    readonly session: SessionPrincipal;
    readonly key?: string;
    readonly isNewTurn?: boolean;
  }): Run;
  /** The run going on in a thread. */
  active(threadId: string): Run | undefined;
  /** A run of a thread by its id, going on or ended not long ago. */
  find(threadId: string, runId: string): Run | undefined;
  /** The latest run of a thread, if it was begun with this key. */
  findByKey(threadId: string, key: string): Run | undefined;
  /** Interrupts what is going on, begins nothing more, and resolves when all runs have ended. */
  close(): Promise<void>;
}

/** What {@link createRuns} needs. */
export interface RunsOptions {
  readonly streams: OpenStreams;
  /** How long the log of an ended run is kept for those who re-attach. @default 60_000 */
  readonly keepMs?: number;
  /** The most ended runs kept. @default 1_000 */
  readonly maxKept?: number;
  /** The longest a run may take. @default 120_000 */
  readonly maxRunMs?: number;
  /** The most that the log of one run may hold. @default 8 MiB */
  readonly maxLogBytes?: number;
  readonly now?: () => number;
  readonly random?: RandomBytes;
}

/** Creates the registry of one server. */
export function createRuns({
  streams,
  keepMs = 60_000,
  maxKept = 1_000,
  maxRunMs = 120_000,
  maxLogBytes = 8 * 1024 * 1024,
  now = Date.now,
  random,
}: RunsOptions): Runs {
  const active = new Map<string, Run>();
  /** In the order in which they ended. */
  const ended = new Map<string, { readonly run: Run; readonly atMs: number }>();
  /** Ended runs that are found by their ids alone. */
  const leftBehind = new WeakSet<Run>();
  let closing = false;

  function forgetOld(): void {
    for (const [id, { atMs }] of ended) {
      if (atMs + keepMs > now() && ended.size <= maxKept) break;
      ended.delete(id);
    }
  }

  return {
    begin({ threadId, session, key, isNewTurn = false }) {
      if (closing) throw new ProblemError("unavailable", { headers: { "retry-after": "5" } });
      if (active.has(threadId)) throw new ProblemError("run_in_progress");
      for (const { run: earlier } of isNewTurn ? ended.values() : []) {
        if (earlier.threadId === threadId) leftBehind.add(earlier);
      }
      let release: () => void = () => undefined;
      const run = createRun({
        id: `run_${randomBase62(22, random)}`,
        threadId,
        sid: session.sid,
        key,
        maxRunMs,
        maxLogBytes,
        onEnd() {
          release();
          active.delete(threadId);
          ended.set(run.id, { run, atMs: now() });
          forgetOld();
        },
      });
      active.set(threadId, run);
      release = streams.add(session, (reason) => run.abort(cutFailure(session, reason)));
      return run;
    },
    active: (threadId) => active.get(threadId),
    find(threadId, runId) {
      forgetOld();
      const going = active.get(threadId);
      if (going?.id === runId) return going;
      const kept = ended.get(runId)?.run;
      return kept?.threadId === threadId ? kept : undefined;
    },
    findByKey(threadId, key) {
      forgetOld();
      const going = active.get(threadId);
      if (going) return going.key === key ? going : undefined;
      for (const { run } of [...ended.values()].reverse()) {
        if (run.threadId !== threadId) continue;
        // Whoever has seen what came behind it means something new.
        return run.key === key && !leftBehind.has(run) ? run : undefined;
      }
      return undefined;
    },
    async close() {
      closing = true;
      const going = [...active.values()];
      for (const run of going) run.abort(new RunFailure("run_interrupted", { retryable: true }));
      await Promise.all(going.map((run) => run.whenEnded));
    },
  };
}
