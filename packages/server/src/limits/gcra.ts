/** How often something may happen: `quota` in `windowMs`, at most `burst` of them at once. */
export interface Rate {
  readonly quota: number;
  readonly windowMs: number;
  readonly burst: number;
}

/** What {@link decide} gives. */
export interface Decision {
  readonly isAdmitted: boolean;
  /** The number to keep, in ticks: `quota` of them are a millisecond. Unchanged by a refusal. */
  readonly arrival: number;
  /** How many more are admitted at this instant. */
  readonly remaining: number;
  /** How long until the whole burst can be had again, in milliseconds. */
  readonly fullInMs: number;
  /** How long until one more is admitted, in milliseconds; 0 if it would be admitted now. */
  readonly nextInMs: number;
}

/**
 * The generic cell rate algorithm: one number a key, the instant at which all that was admitted
 * will have been worked off at the even pace. In any span of time `t` it admits at most
 * `burst + t * quota / windowMs`, and refuses nothing that this bound leaves room for.
 *
 * It counts in ticks, `quota` to a millisecond, because then the even distance between two is
 * `windowMs` ticks: whole numbers, without a rounding that would let one too many through.
 *
 * @param arrival What the last decision gave; 0 for a key that is new.
 * @param nowMs Whole milliseconds since some instant of the process, never earlier than before.
 * @param take Whether one is taken if it is admitted; otherwise this is only a look. @default true
 * @see ITU-T I.371, annex A
 */
export function decide(
  { quota, windowMs, burst }: Rate,
  arrival: number,
  nowMs: number,
  take = true,
): Decision {
  const now = nowMs * quota;
  const capacity = burst * windowMs;
  const start = Math.max(arrival, now);
  const isAdmitted = start + windowMs - now <= capacity;
  const next = take && isAdmitted ? start + windowMs : start;
  const backlog = next - now;
  return {
    isAdmitted,
    arrival: next,
    remaining: Math.max(0, Math.floor((capacity - backlog) / windowMs)),
    fullInMs: Math.ceil(backlog / quota),
    nextInMs: Math.max(0, Math.ceil((backlog + windowMs - capacity) / quota)),
  };
}

/** The number of a key whose rate was changed: what it had to work off takes as long as before. */
export function convertArrival(arrival: number, from: Rate, to: Rate): number {
  return from.quota === to.quota ? arrival : Math.ceil((arrival / from.quota) * to.quota);
}
