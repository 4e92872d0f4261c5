/** A hard limit on how often the session endpoint is called, whatever happens. */
export interface CallBudget {
  /** Takes one call; 0 when it may be made, else how long until one may, in milliseconds. */
  take(): number;
}

const size = 10;
const refillMs = 6_000;

/** Creates a bucket of 10 calls that gains one every 6 s: at most 20 in any minute. */
export function createCallBudget(now: () => number): CallBudget {
  let tokens = size;
  let filledAtMs = now();
  return {
    take() {
      const gained = Math.floor((now() - filledAtMs) / refillMs);
      if (gained > 0) {
        tokens = Math.min(size, tokens + gained);
        filledAtMs = tokens === size ? now() : filledAtMs + gained * refillMs;
      }
      if (tokens === 0) return filledAtMs + refillMs - now();
      tokens -= 1;
      return 0;
    },
  };
}
