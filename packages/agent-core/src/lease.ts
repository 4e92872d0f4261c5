import type { ParsedReply } from "./session-reply.ts";

/** A session token in hand. Its text is not enumerable, so that no log or dump shows it. */
export interface TokenLease {
  /** The token. For the `Authorization` header and nothing else. */
  readonly value: string;
  /** Counts the tokens of one manager: higher is later, equal is the same token. */
  readonly gen: number;
  /** Where the session reply said that the API is. */
  readonly apiUrl: string | undefined;
}

/** How far a lease is from its end. */
export type Zone = "fresh" | "soon" | "over";

/** A lease with what is needed to judge it. */
export interface JudgedLease extends TokenLease {
  zone(): Zone;
}

/** Both clocks: the wall jumps with the person's settings, the monotonic one sleeps with the laptop. */
export interface Clock {
  /** Milliseconds since 1970. */
  wall(): number;
  /** Milliseconds that never run backwards. */
  mono(): number;
}

/** When a lease was asked for, on both clocks. */
export interface Anchor {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** How lives are judged. */
export interface LeaseOptions {
  readonly clock: Clock;
  readonly refreshAheadMs: number;
  readonly hardMarginMs: number;
  readonly maxLifetimeMs: number;
}

/**
 * Creates a lease. Its life is a duration from the moment the token was asked for, and whichever
 * clock says that it is over wins. A token that looks dead on arrival means that our clock is
 * wrong: it is used until the server refuses it.
 */
export function createLease(
  { value, lifeMs, apiUrl }: ParsedReply,
  gen: number,
  anchor: Anchor,
  { clock, refreshAheadMs, hardMarginMs, maxLifetimeMs }: LeaseOptions,
): JudgedLease {
  const reactive = lifeMs === undefined || lifeMs <= 1000;
  const life = reactive ? maxLifetimeMs : Math.min(lifeMs, maxLifetimeMs);
  // A window as long as the life would mean a call for every use.
  const ahead = reactive ? 0 : Math.min(refreshAheadMs, life / 4);
  const hard = reactive ? 0 : Math.min(hardMarginMs, life / 20);
  const lease = {
    gen,
    apiUrl,
    zone(): Zone {
      const remaining = Math.min(
        anchor.monoMs + life - clock.mono(),
        anchor.wallMs + life - clock.wall(),
      );
      if (remaining <= hard) return "over";
      return remaining > ahead ? "fresh" : "soon";
    },
  };
  return Object.defineProperty(lease, "value", { value, enumerable: false }) as JudgedLease;
}
