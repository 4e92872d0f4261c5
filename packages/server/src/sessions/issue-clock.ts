/**
 * The clock that sessions are made by. It never goes back, whatever the computer's clock does: a
 * session that was made before a revocation must never look as if it had been made after it.
 */
export interface IssueClock {
  /** The instant of a session made now, in milliseconds: after every mark, not before any other session. */
  next(): number;
  /** An instant at which every session so far was made, and no later one is. */
  mark(): number;
  /** Goes on from an instant that another run of the server gave. */
  goOnFrom(atMs: number): void;
}

/**
 * By how much the computer's clock may have been ahead, and be put right, without bringing back
 * what was ended: a server that starts looks back as far, beyond what is over by its clock.
 */
export const clockErrorMs = 2 * 3_600_000;

/** Creates a clock that follows `now` as long as it goes forward. */
export function createIssueClock(now: () => number = Date.now): IssueClock {
  let latestMs = Number.NEGATIVE_INFINITY;
  let earliestNextMs = Number.NEGATIVE_INFINITY;
  return {
    next() {
      latestMs = Math.max(now(), latestMs, earliestNextMs);
      return latestMs;
    },
    mark() {
      latestMs = Math.max(now(), latestMs);
      earliestNextMs = latestMs + 1;
      return latestMs;
    },
    goOnFrom(atMs) {
      latestMs = Math.max(latestMs, atMs);
    },
  };
}
