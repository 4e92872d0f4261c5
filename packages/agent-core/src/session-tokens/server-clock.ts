import type { Clock } from "./lease.ts";

/** What the answers of the API say about the server's clock, where they show their `Date`. */
export interface ServerClock {
  /**
   * Learns from the `Date` of an answer.
   *
   * @param sentMs When the request was sent, by the monotonic clock.
   * @see RFC 9110 section 6.6.1
   */
  learn(date: string | null | undefined, sentMs: number): void;
  /** What to add to the wall clock, in milliseconds; undefined when it is right or nothing is known. */
  offsetMs(): number | undefined;
}

/** `Date` counts in seconds: the middle of one is nearest the truth. */
const halfSecondMs = 500;
const negligibleMs = 5_000;
/** When the two clocks of the page have moved apart by this, one was set or one has slept. */
const driftMs = 2_000;

/** Creates what one manager knows. The answer with the shortest way tells best. */
export function createServerClock(clock: Clock): ServerClock {
  let best: { offsetMs: number; roundTripMs: number; apartMs: number } | undefined;
  const known = (): typeof best => {
    const apartMs = clock.wall() - clock.mono();
    return best && Math.abs(apartMs - best.apartMs) < driftMs ? best : undefined;
  };
  return {
    learn(date, sentMs) {
      const monoMs = clock.mono();
      const wallMs = clock.wall();
      const roundTripMs = monoMs - sentMs;
      const offsetMs = Date.parse(date ?? "") + halfSecondMs - wallMs + roundTripMs / 2;
      if (Number.isNaN(offsetMs) || roundTripMs >= (known()?.roundTripMs ?? Infinity)) return;
      best = { offsetMs, roundTripMs, apartMs: wallMs - monoMs };
    },
    offsetMs() {
      const offsetMs = known()?.offsetMs ?? 0;
      return Math.abs(offsetMs) < negligibleMs ? undefined : offsetMs;
    },
  };
}
