import type { Timers } from "./session-tokens/types.ts";
import { listenForWakeUps } from "./session-tokens/wake-ups.ts";

/** What {@link createReconnection} needs. */
export interface ReconnectionOptions {
  readonly timers: Timers;
  /** From 0 up to 1: tells clients that lost the same server apart. */
  readonly random: () => number;
}

/** The attempts to reach a server again, and the waits between them. */
export interface Reconnection {
  /**
   * Waits for the next attempt: ever longer, and not at all once the page is back, shown again or
   * online.
   *
   * @param atLeastMs What the server asked for; half a minute of it is waited out.
   * @returns False when there are no attempts left; then nothing was waited for.
   * @throws The signal's reason.
   */
  next(signal: AbortSignal, atLeastMs?: number): Promise<boolean>;
  /** Notes that the server was reached: the attempts count from the start again. */
  succeeded(): void;
}

const waitsMs = [500, 1_000, 2_000, 4_000, 5_000];
const mostAskedMs = 30_000;

/** Creates the attempts of one connection: five, of which every success makes five again. */
export function createReconnection({ timers, random }: ReconnectionOptions): Reconnection {
  let attempts = 0;
  return {
    async next(signal, atLeastMs = 0) {
      signal.throwIfAborted();
      const waitMs = waitsMs[attempts];
      if (waitMs === undefined) return false;
      attempts += 1;
      const delayMs = Math.max(waitMs * (0.75 + random() / 2), Math.min(atLeastMs, mostAskedMs));
      // A person who comes back finds somebody who tries, not somebody who has given up.
      if (await isWokenWithin(delayMs, signal, timers)) attempts = 0;
      return true;
    },
    succeeded() {
      attempts = 0;
    },
  };
}

/** Whether the page came back before the time was over. @throws The signal's reason. */
function isWokenWithin(delayMs: number, signal: AbortSignal, timers: Timers): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      timers.clear(timer);
      stopListening();
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason));
    const timer = timers.set(() => end(() => resolve(false)), delayMs);
    const stopListening = listenForWakeUps(() => end(() => resolve(true)));
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
