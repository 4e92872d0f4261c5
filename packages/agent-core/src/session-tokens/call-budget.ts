/** A hard limit on how often the session endpoint is called, whatever happens. */
export interface CallBudget {
  /** Takes one call; 0 when it may be made, else how long until one may, in milliseconds. */
  take(): number;
}

const size = 10;
const refillMs = 6_000;

/** Creates a bucket of 10 calls that gains one every 6 s: at most 20 in any minute. */
export function createCallBudget(now: () => number): CallBudget {
  let fullAtMs = Number.NEGATIVE_INFINITY;
  return {
    take() {
      const nowMs = now();
      const nextMs = Math.max(fullAtMs, nowMs) + refillMs;
      const waitMs = nextMs - nowMs - size * refillMs;
      if (waitMs > 0) return waitMs;
      fullAtMs = nextMs;
      return 0;
    },
  };
}
