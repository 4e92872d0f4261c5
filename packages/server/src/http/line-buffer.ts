import type { Writable } from "node:stream";

/** A place for log lines that writes those of a few milliseconds together. */
export interface LineBuffer {
  /** Takes a line with its end. */
  write(line: string): void;
  /** Writes what is held, and from then on holds nothing back. */
  close(): void;
}

/** A line of pino that is worth more than `info`: a warning, an error, an end. */
const pressing = /^\{"level":[456]0,/;
const mostHeld = 65_536;

/**
 * Creates one in front of a stream: a write to the system costs more than making the line. A
 * warning or an error holds nothing back, and what is held is written when the process exits, also
 * by an error that nobody caught; a process that is killed takes what it held with it.
 *
 * @param maxWaitMs The longest that a line is held, in milliseconds.
 */
export function createLineBuffer(to: Writable, maxWaitMs = 20): LineBuffer {
  let held = "";
  let isClosed = false;

  function flush(): void {
    if (held === "") return;
    const lines = held;
    held = "";
    to.write(lines);
  }
  process.on("exit", flush);

  return {
    write(line) {
      if (held === "" && !isClosed) setTimeout(flush, maxWaitMs);
      held += line;
      if (isClosed || held.length > mostHeld || pressing.test(line)) flush();
    },
    close() {
      isClosed = true;
      process.off("exit", flush);
      flush();
    },
  };
}
