/** A session token in hand. Its text is not enumerable, so that no log or dump shows it. */
export interface TokenLease {
  /** The token. For the `Authorization` header and nothing else. */
  readonly value: string;
  /** Counts the tokens of one manager: higher is later, equal is the same token. */
  readonly gen: number;
  /** Where the session reply said that the API is. */
  readonly apiUrl: string | undefined;
  /** For how long it is good, in milliseconds; `null` when only the server can tell. */
  readonly expiresInMs: number | null;
  toJSON(): { gen: number };
}

/** How far a lease is from its end. */
export type Zone = "fresh" | "soon" | "over";

/** A lease with what is needed to judge it. */
export interface JudgedLease extends TokenLease {
  /** Which person it was fetched for. */
  readonly epoch: number;
  /** Whether it is used until the server refuses it. */
  readonly reactive: boolean;
  /** How long it lives from the moment it was asked for, in milliseconds; `null` when reactive. */
  readonly lifeMs: number | null;
  /** To its end, by whichever clock is closer to it, in milliseconds. */
  readonly leftMs: () => number;
  readonly zone: () => Zone;
  /** Whether it is as good as a caller wants it, or as good as any. */
  readonly lasts: (minValidityMs: number) => boolean;
}

/** Both clocks: the wall jumps with the person's settings, the monotonic one sleeps with the laptop. */
export interface Clock {
  /** Milliseconds since 1970. */
  wall(): number;
  /** Milliseconds that never run backwards. */
  mono(): number;
}

/** One moment on both clocks. */
export interface Moment {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** How long ago a moment was, by the clock that is further on. */
export function elapsedMs(clock: Clock, { wallMs, monoMs }: Moment): number {
  return Math.max(clock.mono() - monoMs, clock.wall() - wallMs);
}

/** What a lease is made from. */
export interface LeaseTerms {
  readonly value: string;
  readonly apiUrl: string | undefined;
  readonly gen: number;
  readonly epoch: number;
  /** As the reply says it; undefined when it does not. */
  readonly lifeMs: number | undefined;
  /** Whether the life is known to be a wrong clock's. */
  readonly isDoubted: boolean;
  readonly askedAt: Moment;
}

/** How lives are judged; the defaults are those of {@link SessionTokenManagerOptions}. */
export interface LeaseOptions {
  readonly refreshAheadMs?: number;
  readonly hardMarginMs?: number;
  readonly maxLifetimeMs?: number;
}

/**
 * Creates a lease. Its life is a duration from the moment the token was asked for, and whichever
 * clock says that it is over wins. A token that looks dead on arrival means that our clock is
 * wrong: it is *reactive*, used until the server refuses it.
 */
export function createLease(
  { value, apiUrl, gen, epoch, lifeMs = 0, isDoubted, askedAt }: LeaseTerms,
  clock: Clock,
  { refreshAheadMs = 30_000, hardMarginMs = 5_000, maxLifetimeMs = 3_600_000 }: LeaseOptions,
): JudgedLease {
  let life = Math.min(lifeMs, maxLifetimeMs);
  // A window as long as the life would mean a call for every use.
  let ahead = Math.min(refreshAheadMs, life / 4);
  let hard = Math.min(hardMarginMs, life / 20);
  const leftMs = (): number => life - elapsedMs(clock, askedAt);
  const reactive = isDoubted || life <= 1_000 || leftMs() <= hard;
  if (reactive) {
    life = maxLifetimeMs;
    ahead = 0;
    hard = 0;
  }
  const lease = {
    gen,
    epoch,
    apiUrl,
    reactive,
    lifeMs: reactive ? null : life,
    leftMs,
    zone(): Zone {
      const left = leftMs();
      if (left <= hard) return "over";
      return left > ahead ? "fresh" : "soon";
    },
    lasts: (minValidityMs: number) => reactive || leftMs() >= Math.min(minValidityMs, life - ahead),
    get expiresInMs() {
      return reactive ? null : Math.max(0, leftMs());
    },
    toJSON: () => ({ gen }),
  };
  return Object.defineProperty(lease, "value", { get: () => value }) as JudgedLease;
}
