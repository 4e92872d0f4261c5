import type { Clock } from "../session-tokens/lease.ts";
import type { Timers } from "../session-tokens/types.ts";

/** Two clocks and the timers of one of them, which move only when a test says so. */
export interface VirtualTime {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Moves both clocks, firing what falls due on the way, in order. */
  advance(ms: number): Promise<void>;
  /** Moves the wall clock alone, as a person who sets it does, or a laptop that sleeps. */
  setWall(byMs: number): void;
  /** How many timers wait. */
  pending(): number;
  /** The longest delay of any timer so far, in milliseconds. */
  longestDelayMs(): number;
}

/** Creates time. */
export function createVirtualTime(): VirtualTime {
  let monoMs = 0;
  let wallOffsetMs = 1_800_000_000_000;
  let next = 0;
  let longestDelayMs = 0;
  const waiting = new Map<number, { atMs: number; callback: () => void }>();
  return {
    clock: { mono: () => monoMs, wall: () => monoMs + wallOffsetMs },
    timers: {
      set(callback, delayMs) {
        if (!(delayMs >= 0 && delayMs < 2 ** 31)) throw new RangeError(`delay ${delayMs}`);
        longestDelayMs = Math.max(longestDelayMs, delayMs);
        next += 1;
        waiting.set(next, { atMs: monoMs + delayMs, callback });
        return next;
      },
      clear: (timer) => void waiting.delete(timer as number),
    },
    async advance(ms) {
      const untilMs = monoMs + ms;
      await settle();
      while (true) {
        const due = [...waiting]
          .filter(([, { atMs }]) => atMs <= untilMs)
          .sort(([a, x], [b, y]) => x.atMs - y.atMs || a - b)[0];
        if (!due) break;
        waiting.delete(due[0]);
        monoMs = Math.max(monoMs, due[1].atMs);
        due[1].callback();
        await settle();
      }
      monoMs = untilMs;
      await settle();
    },
    setWall(byMs) {
      wallOffsetMs += byMs;
    },
    pending: () => waiting.size,
    longestDelayMs: () => longestDelayMs,
  };
}

/** Lets every promise that can settle now do so. */
async function settle(): Promise<void> {
  for (let round = 0; round < 25; round += 1) await Promise.resolve();
}
