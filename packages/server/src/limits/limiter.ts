import { convertArrival, type Decision, decide, type Rate } from "./gcra.ts";

/** One limit that a request meets: a policy, its numbers, and whom it counts. */
export interface Charge {
  /** The policy's name, as the headers say it. */
  readonly policy: string;
  readonly rate: Rate;
  /** Whom it counts: from a verified identity, or an address. Never from what a client sends. */
  readonly key: string;
}

/** A charge and what was decided of it. */
export interface Verdict extends Charge {
  /** Whether this policy lets the request through. */
  readonly isAdmitted: boolean;
  readonly remaining: number;
  readonly fullInMs: number;
  /** How long until one more is let through, in milliseconds. */
  readonly nextInMs: number;
}

/**
 * Counts what happens, by policy and key. This one keeps its counts in memory; one that shares
 * them between servers answers with a promise.
 */
export interface Limiter {
  /**
   * Takes one from each, or, when one of them refuses, from none. The verdicts are those of this
   * request, in the order of the charges.
   */
  take(charges: readonly Charge[]): readonly Verdict[] | Promise<readonly Verdict[]>;
  /** How it stands, without taking anything. */
  look(charges: readonly Charge[]): readonly Verdict[] | Promise<readonly Verdict[]>;
}

/** A limiter that has its counts at hand, and never makes anybody wait. */
export interface LocalLimiter extends Limiter {
  take(charges: readonly Charge[]): readonly Verdict[];
  look(charges: readonly Charge[]): readonly Verdict[];
}

/** What {@link createMemoryLimiter} takes. */
export interface MemoryLimiterOptions {
  /** Milliseconds since any fixed instant; should not go back. @default performance.now */
  readonly monotonicMs?: () => number;
  /**
   * Keys remembered for each policy. Over it the one that was asked for longest ago is forgotten
   * and could begin a new burst: so for each burst won, this many other keys of the same policy
   * have to be used within the time that a burst takes to refill. @default 100_000
   */
  readonly maxKeysPerPolicy?: number;
}

/** What is remembered of one policy. */
interface Counts {
  readonly entries: Map<string, Entry>;
  /** Keys added since some were last looked at for expiry. */
  added: number;
}

interface Entry {
  arrival: number;
  rate: Rate;
}

/** Keys looked at for expiry whenever one is added, so that memory shrinks without a timer. */
const sweptPerNewKey = 2;
/**
 * They are looked at for several at once: whoever begins at the front of a map passes by all that
 * was deleted there since it was last put in order.
 */
const addedPerSweep = 16;

/** Creates a limiter that keeps its counts in this process. */
export function createMemoryLimiter({
  monotonicMs = () => performance.now(),
  maxKeysPerPolicy = 100_000,
}: MemoryLimiterOptions = {}): LocalLimiter & { readonly size: number } {
  const policies = new Map<string, Counts>();
  const startMs = monotonicMs();
  let lastMs = 0;

  /** Whole milliseconds, never going back: a clock that is set back must not lock anybody out. */
  function readClock(): number {
    lastMs = Math.max(lastMs, Math.floor(monotonicMs() - startMs));
    return lastMs;
  }

  function countsOf(policy: string): Counts {
    let counts = policies.get(policy);
    if (!counts) {
      counts = { entries: new Map(), added: 0 };
      policies.set(policy, counts);
    }
    return counts;
  }

  function judge({ policy, rate, key }: Charge, nowMs: number, take: boolean): Decision {
    const entry = policies.get(policy)?.entries.get(key);
    const arrival = entry ? convertArrival(entry.arrival, entry.rate, rate) : 0;
    return decide(rate, arrival, nowMs, take);
  }

  function keep({ policy, rate, key }: Charge, arrival: number, nowMs: number): void {
    const counts = countsOf(policy);
    const { entries } = counts;
    const entry = entries.get(key);
    if (entry) {
      entry.arrival = arrival;
      entry.rate = rate;
      // Put back at the end, also when it was refused: who keeps asking is not forgotten.
      entries.delete(key);
      entries.set(key, entry);
    } else {
      makeRoom(counts, nowMs);
      entries.set(key, { arrival, rate });
    }
  }

  function makeRoom(counts: Counts, nowMs: number): void {
    const { entries } = counts;
    counts.added += 1;
    const isFull = entries.size >= maxKeysPerPolicy;
    if (!isFull && counts.added < addedPerSweep) return;
    let left = sweptPerNewKey * counts.added;
    counts.added = 0;
    for (const [key, { arrival, rate }] of entries) {
      const isWorkedOff = arrival <= nowMs * rate.quota;
      if (isWorkedOff || entries.size >= maxKeysPerPolicy) entries.delete(key);
      left -= 1;
      if (left === 0) break;
    }
  }

  return {
    take(charges) {
      const nowMs = readClock();
      const decisions = charges.map((charge) => judge(charge, nowMs, true));
      const isRefused = decisions.some(({ isAdmitted }) => !isAdmitted);
      return charges.map((charge, at) => {
        const decision = decisions[at] as Decision;
        // What another policy refused is not taken here either: this one is only looked at.
        if (isRefused && decision.isAdmitted) return toVerdict(charge, judge(charge, nowMs, false));
        keep(charge, decision.arrival, nowMs);
        return toVerdict(charge, decision);
      });
    },
    look(charges) {
      const nowMs = readClock();
      return charges.map((charge) => toVerdict(charge, judge(charge, nowMs, false)));
    },
    get size() {
      return [...policies.values()].reduce((sum, { entries }) => sum + entries.size, 0);
    },
  };
}

/** Field by field: spreading objects here was most of what a request's limits cost. */
function toVerdict({ policy, rate, key }: Charge, decision: Decision): Verdict {
  const { isAdmitted, remaining, fullInMs, nextInMs } = decision;
  return { policy, rate, key, isAdmitted, remaining, fullInMs, nextInMs };
}
