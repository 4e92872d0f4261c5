import type { Writable } from "node:stream";

/** A place for log lines that writes those of one turn of the event loop together. */
export interface LineBuffer {
  /** Takes a line with its end. */
  write(line: string): void;
  /** Writes what is held, and from then on holds nothing back. */
  close(): void;
}

/**
 * Creates one in front of a stream: a write to the system costs more than making the line. What
 * is held is written when the process exits, also by an error that nobody caught.
 */
export function createLineBuffer(to: Writable): LineBuffer {
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
      if (held === "" && !isClosed) setImmediate(flush);
      held += line;
      if (isClosed) flush();
    },
    close() {
      isClosed = true;
      process.off("exit", flush);
      flush();
    },
  };
}
