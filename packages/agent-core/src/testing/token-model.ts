/** One moment on both clocks. */
interface At {
  readonly monoMs: number;
  readonly wallMs: number;
}

/** A reply as the endpoint gave it. */
export interface ModelReply {
  readonly value: string;
  readonly lifeMs: number;
  /** Whether only the server is to tell when it ends. */
  reactive: boolean;
  /** Whether it says only an instant. */
  readonly isAbsolute: boolean;
}

type Fact = At &
  (
    | { readonly is: "asked"; readonly call: number }
    | { readonly is: "answered"; readonly call: number; readonly reply: ModelReply }
    | { readonly is: "looked" }
    | { readonly is: "refused"; readonly value: string }
    | { readonly is: "reset" }
    | { readonly is: "disposed" }
  );

type FactOf = Fact extends infer Each ? (Each extends At ? Omit<Each, keyof At> : never) : never;

const callLimitMs = 15_000;
const longestLifeMs = 3_600_000;

/**
 * What the rules say about the one question that matters: which token may be used now? It keeps a
 * list of what has happened and reads it from the beginning each time. It knows neither flights nor
 * waiters, timers nor states, so that a mistake of the manager's is not likely to be made here, too.
 */
export class TokenModel {
  readonly #facts: Fact[] = [];
  readonly #clock: () => At;

  constructor(clock: () => At) {
    this.#clock = clock;
  }

  note(fact: FactOf): void {
    this.#facts.push({ ...this.#clock(), ...fact } as Fact);
  }

  /** The token that may be used now, and how long it is usable by the clock that is closer to its end. */
  usable():
    | { readonly value: string; readonly leftMs: number; readonly aheadMs: number }
    | undefined {
    const present = this.#present();
    if (this.#facts.some(({ is }) => is === "disposed")) return undefined;
    let held: (ModelReply & { readonly asked: At }) | undefined;
    for (const [at, fact] of present.entries()) {
      if (fact.is === "refused" && fact.value === held?.value) held = undefined;
      if (fact.is !== "answered" || !this.#isTaken(present, at)) continue;
      const asked = present.find((other) => other.is === "asked" && other.call === fact.call) as At;
      const next = { ...fact.reply, asked };
      const isSame = held?.value === next.value;
      const isOver = held && endOf(held, fact) <= marginOf(held);
      if (!held || !isSame || isOver || endOf(next, fact) > endOf(held, fact)) held = next;
    }
    if (!held) return undefined;
    const leftMs = endOf(held, this.#clock());
    const aheadMs = held.reactive ? 0 : Math.min(30_000, lifeOf(held) / 4);
    return leftMs > marginOf(held) ? { value: held.value, leftMs, aheadMs } : undefined;
  }

  /** The reply that came last. */
  lastReply(): ModelReply | undefined {
    const last = this.#facts.findLast(({ is }) => is === "answered");
    return last?.is === "answered" ? last.reply : undefined;
  }

  /** How many replies so far said only an instant, a short while ahead. */
  shortLives(): number {
    return this.#facts.filter(
      (fact) =>
        fact.is === "answered" &&
        fact.reply.isAbsolute &&
        fact.reply.lifeMs > 1_000 &&
        fact.reply.lifeMs < 600_000,
    ).length;
  }

  /** What was refused for the person who is there now, the last eight. */
  refused(): string[] {
    return refusedBefore(this.#present(), Number.POSITIVE_INFINITY);
  }

  /** Whether a value was refused for the person who is there now; the last eight are known. */
  isRefused(value: string): boolean {
    return this.refused().includes(value);
  }

  /** What has happened since the last change of the person. */
  #present(): Fact[] {
    return this.#facts.slice(this.#facts.findLastIndex(({ is }) => is === "reset") + 1);
  }

  /** Whether an answer counts: asked by this person, in time whenever anybody looked, not refused. */
  #isTaken(present: readonly Fact[], at: number): boolean {
    const answer = present[at] as Fact & { is: "answered" };
    const from = present.findIndex((fact) => fact.is === "asked" && fact.call === answer.call);
    const asked = present[from];
    if (!asked) return false;
    if (present.slice(0, at).some(({ is }) => is === "disposed")) return false;
    const isInTime = present
      .slice(from, at + 1)
      .filter(({ is }) => is === "looked" || is === "answered")
      .every((look) => {
        const tookMs = Math.max(look.monoMs - asked.monoMs, look.wallMs - asked.wallMs);
        return tookMs < callLimitMs;
      });
    return isInTime && !refusedBefore(present, at).includes(answer.reply.value);
  }
}

function refusedBefore(present: readonly Fact[], at: number): string[] {
  const values = present.flatMap((fact, index) =>
    fact.is === "refused" && index < at ? [fact.value] : [],
  );
  return [...new Set(values)].slice(-8);
}

function marginOf(held: ModelReply): number {
  return held.reactive ? 0 : Math.min(5_000, lifeOf(held) / 20);
}

function lifeOf({ lifeMs, reactive }: ModelReply): number {
  return reactive ? longestLifeMs : Math.min(lifeMs, longestLifeMs);
}

function endOf(held: ModelReply & { readonly asked: At }, now: At): number {
  const { asked } = held;
  const agedMs = Math.max(now.monoMs - asked.monoMs, now.wallMs - asked.wallMs);
  return lifeOf(held) - agedMs;
}
