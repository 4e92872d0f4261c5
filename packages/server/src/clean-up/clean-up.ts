/** Where rows are kept that are over some day. */
export interface CleanUpStore {
  readonly chores: readonly Chore[];
  /** Whether a step keeps the whole process from doing anything else, as an embedded database does. */
  readonly isBlocking: boolean;
}

/** One kind of rows that are over some day. */
export interface Chore {
  readonly name: string;
  /** Forgets at most `limit` rows, all or none; says how many, 0 when nothing is left to do now. */
  step(nowMs: number, limit: number): Promise<number>;
}

/** Forgets what is over, in steps that leave room for requests. */
export interface CleanUp {
  /** Does what there is to do. A call while one is under way is that one. @returns how many rows went. */
  run(): Promise<number>;
  /** Ends behind the step under way. What is left is done another time: every step stands for itself. */
  close(): Promise<void>;
}

/** What {@link createCleanUp} needs. */
export interface CleanUpOptions {
  readonly store: CleanUpStore;
  readonly now?: () => number;
  /** A clock that is never set, in milliseconds. @default performance.now */
  readonly monotonicMs?: () => number;
  /** Waits between two steps. @default a timer that keeps no process alive */
  readonly pause?: (ms: number) => Promise<void>;
}

const maxRows = 500;
const minRows = 25;
/** How long a step may keep the process from anything else, in milliseconds. */
const maxStepMs = 5;
const minPauseMs = 10;
/** How many times as long as a step the pause behind it is: a fifth of the time is the most it takes. */
const pauseShare = 4;

/** Creates the clean-up of a store. */
export function createCleanUp({
  store,
  now = Date.now,
  monotonicMs = () => performance.now(),
  pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref()),
}: CleanUpOptions): CleanUp {
  let rows = maxRows;
  let isClosed = false;
  let running: Promise<number> | undefined;

  /** Fewer rows when a step took too long, more when it was short. */
  function learn(tookMs: number): void {
    if (!store.isBlocking) return;
    if (tookMs > maxStepMs) rows = Math.max(minRows, Math.floor(rows / 2));
    else if (tookMs < maxStepMs / 2) rows = Math.min(maxRows, rows * 2);
  }

  async function run(): Promise<number> {
    let total = 0;
    for (const chore of store.chores) {
      while (!isClosed) {
        const startedMs = monotonicMs();
        const gone = await chore.step(now(), rows);
        const tookMs = monotonicMs() - startedMs;
        learn(tookMs);
        total += gone;
        if (gone === 0) break;
        await pause(Math.max(minPauseMs, tookMs * pauseShare));
      }
    }
    return total;
  }

  return {
    run() {
      running ??= run().finally(() => {
        running = undefined;
      });
      return running;
    },
    async close() {
      isClosed = true;
      await running?.catch(() => undefined);
    },
  };
}
