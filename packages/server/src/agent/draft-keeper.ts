import type { RunLog } from "./run-log.ts";

/** Keeps what an answer has come to while it is written, so that a crash takes little of it. */
export interface DraftKeeper {
  /** Something has changed; it will be kept within {@link DraftKeeperOptions.everyMs}. */
  note(): void;
  /** Keeps it now. Resolves when what there was at the call is durable, or could not be kept. */
  keep(): Promise<void>;
  /** Keeps nothing more. Resolves when no write is under way. */
  close(): Promise<void>;
}

/** What {@link createDraftKeeper} needs. */
export interface DraftKeeperOptions {
  /** Writes what there is at the call. */
  readonly save: () => Promise<void>;
  /** The longest that a change waits, in milliseconds, and the least time between two such writes. */
  readonly everyMs: number;
  readonly log: RunLog;
}

/** Creates the keeper of one run. One write at a time; what fails is tried again with the next. */
export function createDraftKeeper({ save, everyMs, log }: DraftKeeperOptions): DraftKeeper {
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let isClosed = false;

  function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(async () => {
      if (isClosed) return;
      // The answer goes on without it: it is stored at its end in any case.
      await save().catch((err: unknown) => log.warn({ err }, "A draft could not be kept."));
    });
    return writing;
  }

  return {
    note() {
      if (isClosed) return;
      timer ??= setTimeout(() => void write(), everyMs).unref();
    },
    keep: write,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await writing;
    },
  };
}
