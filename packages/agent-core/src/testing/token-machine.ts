import { inspect } from "node:util";
import fc from "fast-check";
import type { TokenLease } from "../session-tokens/lease.ts";
import { createSessionTokenManager } from "../session-tokens/session-token-manager.ts";
import { StopRefreshing, type TokenError } from "../session-tokens/token-error.ts";
import type { GetSessionTokenContext, TokenEvent } from "../session-tokens/types.ts";
import { TokenModel } from "./token-model.ts";
import { createVirtualTime } from "./virtual-time.ts";

/** What the next call of the callback does. */
interface Behaviour {
  readonly kind:
    | "ok"
    | "same"
    | "refused-before"
    | "busy"
    | "down"
    | "signed-out"
    | "odd"
    | "throws"
    | "malformed"
    | "hangs";
  readonly latencyMs: number;
  readonly lifeMs: number;
  /** Whether the reply says a duration, or only an instant by a clock so far ahead. */
  readonly aheadMs: number | undefined;
}

interface Call {
  readonly at: number;
  readonly context: GetSessionTokenContext;
  readonly behaviour: Behaviour;
  readonly epoch: number;
  isSettled: boolean;
}

interface Caller {
  readonly startedMs: number;
  readonly epoch: number;
  readonly abort: AbortController | undefined;
  readonly isDemanding: boolean;
  outcome: { value?: string; error?: unknown; atMs: number; epoch: number } | undefined;
}

interface Request {
  readonly startedMs: number;
  readonly sends: string[];
  sendingMs: number;
  settled: boolean;
}

/** What a listener does at the next event. */
type Reentry = "get" | "send" | "reset" | "dispose" | "report" | "prefetch";

const secretPrefix = "s3cret-";

class Violation extends Error {}

function must(condition: boolean, invariant: string, detail?: unknown): void {
  if (!condition) throw new Violation(`${invariant} ${inspect(detail, { depth: 4 })}`);
}

/** One manager under test, everything that was seen of it, and the rules that it must keep. */
export class TokenMachine {
  readonly time = createVirtualTime();
  readonly model: TokenModel;
  readonly calls: Call[] = [];
  readonly callers: Caller[] = [];
  readonly requests: Request[] = [];
  readonly events: { readonly atMs: number; readonly event: TokenEvent }[] = [];
  readonly leases: TokenLease[] = [];
  readonly revoked = new Set<string>();
  readonly transitions = new Set<string>();
  behaviours: Behaviour[] = [];
  reentry: Reentry | undefined;
  readonly #manager;
  readonly #sharedSignal = new AbortController().signal;
  readonly #twin;
  #listenersOnSignal = 0;
  #wakers = new Set<() => void>();
  #ownTimers = 0;
  #epoch = 0;
  #isDisposed = false;
  #isUsed = false;
  #issued = 0;
  #callbackVersion = 0;
  #lastSeen: { gen: number; value: string } | undefined;
  #taken = 0;
  #lastState = "EMPTY";
  /** Whether a listener has changed things since the last check. */
  #hasReentered = false;

  constructor(seed: number) {
    const random = fc.sample(fc.double({ min: 0, max: 0.999, noNaN: true }), { seed, numRuns: 64 });
    let drawn = 0;
    const { clock, timers } = this.time;
    this.model = new TokenModel(() => ({ monoMs: clock.mono(), wallMs: clock.wall() }));
    const options = {
      clock,
      timers,
      random: () => random[drawn++ % random.length] as number,
      wakeUps: (wake: () => void) => {
        this.#wakers.add(wake);
        return () => void this.#wakers.delete(wake);
      },
    };
    this.#manager = createSessionTokenManager(this.#callback(0), options);
    this.#twin = createSessionTokenManager(() => {
      throw new Violation("I22: the other manager's callback was called");
    }, options);
    this.#manager.subscribe((event) => this.#onEvent(event));
    const { signal } = { signal: this.#sharedSignal };
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      this.#listenersOnSignal += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      this.#listenersOnSignal -= 1;
      remove(...args);
    };
  }

  // What can be done to it.

  get(minValidityMs: number | undefined, canAbort: boolean): void {
    this.#isUsed = true;
    this.model.note({ is: "looked" });
    const usable = this.model.usable();
    const before = this.#manager.getSnapshot();
    const held = this.#heldFailure();
    const callsBefore = this.calls.length;
    const abort = canAbort ? new AbortController() : undefined;
    const caller: Caller = {
      startedMs: this.time.clock.mono(),
      epoch: this.#epoch,
      abort,
      isDemanding: minValidityMs !== undefined,
      outcome: undefined,
    };
    this.callers.push(caller);
    this.#manager
      .getToken({
        signal: abort?.signal ?? this.#sharedSignal,
        ...(minValidityMs !== undefined && { minValidityMs }),
      })
      .then(
        (lease) => {
          this.leases.push(lease);
          this.#end(caller, { value: lease.value });
        },
        (error: unknown) => this.#end(caller, { error }),
      );
    this.#expect(() => {
      if (this.#isDisposed || caller.epoch !== this.#epoch) return;
      if (usable && !caller.isDemanding) {
        must(caller.outcome?.value === usable.value, "I11 at once", { usable, caller });
        must(caller.outcome?.atMs === caller.startedMs, "I11 in no time", caller);
      }
      if (!usable && held && before.state === "COOLING") {
        must(caller.outcome?.error === held, "COOLING repeats its error", { held, caller });
        must(this.calls.length === callsBefore, "COOLING calls nothing", this.calls.length);
      }
    });
  }

  send(latencyMs: number): void {
    this.#isUsed = true;
    this.model.note({ is: "looked" });
    const request: Request = {
      startedMs: this.time.clock.mono(),
      sends: [],
      sendingMs: 0,
      settled: false,
    };
    const epoch = this.#epoch;
    this.requests.push(request);
    this.#manager
      .withToken(async (token, { attempt }) => {
        must(this.#epoch === epoch, "I9 nothing is sent for another person", { token, attempt });
        must(request.sends.length === attempt - 1, "I7 attempts are counted", request);
        must(request.sends.length < 2, "I7 at most two sends", request);
        must(request.sends[0] !== token, "I7 the second send has another token", request);
        must(!this.model.isRefused(token), "I8 nothing is sent with a refused token", token);
        request.sends.push(token);
        await this.#after(latencyMs);
        request.sendingMs += latencyMs;
        const isRefused = this.revoked.has(token);
        this.model.note({ is: "looked" });
        // The manager remembers the refusal in the step in which this answer arrives.
        if (isRefused && this.#epoch === epoch) this.model.note({ is: "refused", value: token });
        return new Response(null, { status: isRefused ? 401 : 200 });
      })
      .then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof Violation) this.#failed = error;
        },
      )
      .finally(() => {
        request.settled = true;
      });
  }

  abort(index: number): void {
    const waiting = this.callers.filter(({ outcome, abort }) => !outcome && abort);
    const caller = waiting[index % Math.max(1, waiting.length)];
    if (!caller?.abort) return;
    const others = this.callers.filter((other) => !other.outcome && other !== caller).length;
    const { length } = this.calls;
    const live = this.calls.at(-1);
    const wasAborted = live?.context.signal.aborted;
    const { state } = this.#manager.getSnapshot();
    caller.abort.abort(new Error("left"));
    this.#expect(() => {
      must(caller.outcome !== undefined, "a caller who leaves is answered", caller);
      const left = this.callers.filter((other) => !other.outcome && other !== caller).length;
      must(left === others, "I10 the other waiters wait on", { left, others });
      must(this.calls.length === length, "I10 no call", length);
      must(live?.context.signal.aborted === wasAborted, "I10 the call goes on", live?.at);
      must(this.#manager.getSnapshot().state === state, "I10 the state stays", state);
    });
  }

  report(index: number): void {
    const lease = this.leases[index % Math.max(1, this.leases.length)];
    if (!lease) return;
    const { epoch } = lease as TokenLease & { epoch: number };
    const isOfThisPerson = epoch === this.#epoch && !this.#isDisposed;
    const before = this.model.usable();
    const snapshot = this.#manager.getSnapshot();
    const { length } = this.calls;
    if (isOfThisPerson) this.model.note({ is: "refused", value: lease.value });
    const wasCurrent = this.#manager.reportRejected(lease);
    if (this.#hasReentered) return;
    if (before && (before.value !== lease.value || !isOfThisPerson)) {
      must(!wasCurrent, "I5 another token's refusal", lease.gen);
      must(this.#manager.peek()?.value === before.value, "I5 the current token stays", before);
      must(this.#manager.getSnapshot() === snapshot, "I5 nothing changes", snapshot);
      must(this.calls.length === length, "I5 no call", length);
    }
  }

  revoke(): void {
    const current = this.#manager.peek();
    if (current) this.revoked.add(current.value);
  }

  reset(): void {
    const waiting = this.callers.filter(({ outcome }) => !outcome);
    const wasDisposed = this.#isDisposed;
    if (!wasDisposed) {
      this.#epoch += 1;
      this.#taken = 0;
      // The next person's token is another one, even with the same text.
      if (this.#lastSeen) this.#lastSeen = { ...this.#lastSeen, value: "" };
      this.model.note({ is: "reset" });
    }
    this.#manager.reset();
    must(wasDisposed || this.#manager.peek() === undefined, "I9 nothing is kept over a reset");
    this.#expect(() => {
      for (const { outcome } of waiting) {
        must(outcome?.value === undefined, "I9 waiters are not given the next token", outcome);
        must(outcome !== undefined, "I9 waiters are refused", outcome);
      }
    });
  }

  dispose(): void {
    const waiting = this.callers.filter(({ outcome }) => !outcome);
    const wasDisposed = this.#isDisposed;
    const isOfListener = this.#hasReentered;
    this.#isDisposed = true;
    if (!wasDisposed) this.#epoch += 1;
    this.model.note({ is: "disposed" });
    this.#manager.dispose();
    this.#expect(() => {
      for (const { outcome } of waiting) {
        const { code } = (outcome?.error ?? {}) as Partial<TokenError>;
        // What a listener was told of may have answered them already.
        must(wasDisposed || isOfListener || code === "disposed", "I17 waiters are told", outcome);
      }
    });
  }

  prefetch(): void {
    this.#isUsed = true;
    this.#manager.prefetch();
  }

  setCallback(): void {
    const { length } = this.calls;
    const snapshot = this.#manager.getSnapshot();
    this.#callbackVersion += 1;
    this.#manager.setCallback(this.#callback(this.#callbackVersion));
    must(this.#manager.getSnapshot() === snapshot, "I23 a new callback changes nothing");
    this.#expect(() => must(this.calls.length === length, "I23 and calls nothing"));
  }

  wake(): void {
    const { length } = this.calls;
    const hadWait = this.#manager.getSnapshot().state;
    this.model.note({ is: "looked" });
    for (const waker of [...this.#wakers]) waker();
    this.#expect(() => {
      const isIdle = hadWait !== "ACQUIRING" && hadWait !== "REFRESHING";
      must(!isIdle || this.calls.length === length, "waking up calls nothing by itself");
    });
  }

  async advance(ms: number): Promise<void> {
    await this.time.advance(ms);
  }

  // What must hold.

  #expectations: (() => void)[] = [];
  #failed: Violation | undefined;

  /** Says what must be true when all has settled that can. */
  #expect(expectation: () => void): void {
    this.#expectations.push(expectation);
  }

  /** Lets everything settle that can, and checks every rule. */
  async check(): Promise<void> {
    await this.time.advance(0);
    if (this.#failed) throw this.#failed;
    // What a listener has done in this step may have changed what was to be expected of it.
    const expectations = this.#hasReentered ? [] : this.#expectations;
    this.#hasReentered = false;
    this.#expectations = [];
    for (const expectation of expectations) expectation();
    const { clock } = this.time;
    const nowMs = clock.mono();
    const manager = this.#manager;

    const live = this.calls.filter(
      ({ isSettled, context }) => !isSettled && !context.signal.aborted,
    );
    must(live.length <= 1, "I1 at most one live call", live.length);
    for (const caller of this.callers) {
      const isLate = !caller.outcome && nowMs - caller.startedMs >= 30_000;
      must(!isLate, "I2 every getToken is answered in time", caller);
    }
    for (const request of this.requests) {
      const isLate =
        !request.settled && nowMs - request.startedMs > 60_000 + 2 * 40_000 + request.sendingMs;
      must(!isLate, "I2 every withToken is answered in time", request);
    }
    must(this.#isUsed || this.calls.length === 0, "I3 nothing is called before the first use");
    for (const [index, { at }] of this.calls.entries()) {
      const later = this.calls[index + 20];
      must(!later || later.at - at >= 60_000, "I4 twenty calls a minute", { at, later: later?.at });
    }

    const usable = this.model.usable();
    const current = manager.peek();
    must(current?.value === usable?.value, "the model says what is usable", { usable, current });
    if (current) {
      must(!this.model.isRefused(current.value), "I8 a refused value is not current", current);
    }
    // Were two calls made for one refused token, both would succeed, and this would not add up.
    must(this.#taken === this.model.taken(), "I6 each call that was taken was told once", {
      told: this.#taken,
      taken: this.model.taken(),
    });

    if (this.#isDisposed) {
      must(this.#wakers.size === 0, "I17 nothing listens");
      must(this.time.pending() === this.#ownTimers, "I17 no timer runs", this.time.pending());
      must(manager.getSnapshot().state === "DISPOSED", "I17 the state is final");
    }
    this.#look();
    const { state } = manager.getSnapshot();
    const isFlying = state === "ACQUIRING" || state === "REFRESHING";
    must(
      this.#wakers.size === (isFlying ? 1 : 0),
      "the page is listened to in flights only",
      state,
    );
    const waiting = this.callers.filter(({ outcome }) => !outcome).length;
    if (!isFlying) {
      must(waiting === 0, "nobody waits for nothing", { waiting, state });
      must(this.time.pending() === this.#ownTimers, "I15 no timer runs in between", {
        state,
        pending: this.time.pending(),
        own: this.#ownTimers,
      });
    }
    const onShared = this.callers.filter(({ outcome, abort }) => !outcome && !abort).length;
    must(this.#listenersOnSignal === onShared, "I21 listeners on a caller's signal", {
      listeners: this.#listenersOnSignal,
      onShared,
    });
    const snapshot = manager.getSnapshot();
    must(manager.getSnapshot() === snapshot, "the snapshot is stable");
    must(this.#twin.getSnapshot().state === "EMPTY", "I22 the other manager knows nothing");
    const shown = `${JSON.stringify([snapshot, current])}${inspect([snapshot, current, manager])}`;
    must(!shown.includes(secretPrefix), "I19 no token in a snapshot", shown);
  }

  /** Brings the endpoint back and checks that the manager recovers and comes to rest. */
  async finish(): Promise<void> {
    this.reentry = undefined;
    this.behaviours = [];
    await this.time.advance(140_000);
    await this.check();
    must(
      this.callers.every(({ outcome }) => outcome) && this.requests.every(({ settled }) => settled),
      "I2 in the end everybody has an answer",
    );
    must(this.time.pending() === 0, "I15 in the end no timer runs", this.time.pending());
    if (!this.#isDisposed) {
      this.get(undefined, false);
      await this.time.advance(1_000 + 100 + 6_000);
      const { outcome } = this.callers.at(-1) as Caller;
      must(outcome?.value !== undefined, "I14 a healthy endpoint is enough", outcome);
      await this.check();
      this.dispose();
    }
    const { length } = this.calls;
    this.get(undefined, false);
    this.send(1);
    this.prefetch();
    await this.time.advance(60_000);
    await this.check();
    must(this.calls.length === length, "I17 nothing is called after disposal");
    must(
      ((this.callers.at(-1)?.outcome?.error ?? {}) as { code?: string }).code === "disposed",
      "I17 callers are told",
    );
  }

  // How it is watched.

  #end(caller: Caller, end: { value?: string; error?: unknown }): void {
    const nowMs = this.time.clock.mono();
    caller.outcome = { ...end, atMs: nowMs, epoch: this.#epoch };
    try {
      if (end.value !== undefined) {
        must(caller.epoch === this.#epoch, "I9 no token of another person's time", caller);
        must(!this.model.isRefused(end.value), "I8 a refused value is not given", caller);
        must(!this.#isDisposed, "I17 no token after disposal", caller);
      } else {
        const shown = `${String(end.error)}${JSON.stringify(end.error)}${inspect(end.error)}`;
        must(!shown.includes(secretPrefix), "I19 no token in an error", shown);
        const { code } = end.error as Partial<TokenError>;
        const usable = this.model.usable();
        const isOwn = code === undefined || code === "session_reset" || code === "disposed";
        const isHidden = !usable || caller.isDemanding || isOwn || caller.epoch !== this.#epoch;
        // Who waits does so because nothing was usable then; a joined renewal may fail under them.
        const waited = nowMs > caller.startedMs;
        must(isHidden || waited, "I12 no failure is seen while a token is usable", caller);
      }
    } catch (violation) {
      this.#failed ??= violation as Violation;
    }
  }

  #look(): void {
    const { state } = this.#manager.getSnapshot();
    if (state !== this.#lastState) this.transitions.add(`${this.#lastState} --> ${state}`);
    this.#lastState = state;
    const current = this.#manager.peek();
    if (!current) return;
    const { gen, value } = current;
    const last = this.#lastSeen ?? { gen: 0, value: "" };
    must(last.value === value ? last.gen === gen : gen > last.gen, "I16 gen", { last, gen });
    this.#lastSeen = { gen, value };
  }

  #onEvent(event: TokenEvent): void {
    try {
      this.#look();
      const nowMs = this.time.clock.mono();
      this.events.push({ atMs: nowMs, event });
      const shown = JSON.stringify(event) + inspect(event);
      must(!shown.includes(secretPrefix), "I19 no token in an event", event);
      const snapshot = this.#manager.getSnapshot();
      if (!this.#hasReentered) {
        // I20: what is told has already happened.
        if (event.type === "acquired") must(snapshot.gen === event.gen, "I20 acquired", snapshot);
        if (event.type === "reset") must(snapshot.state === "EMPTY", "I20 reset", snapshot);
        if (event.type === "disposed") must(snapshot.state === "DISPOSED", "I20", snapshot);
        if (event.type === "failed" && event.retryInMs === undefined) {
          must(
            !/ING$/.test(snapshot.state) || snapshot.state === "COOLING",
            "I20 failed",
            snapshot,
          );
        }
        if (event.type === "rejected" && event.wasCurrent) {
          must(this.#manager.peek() === undefined, "I20 rejected", snapshot);
        }
      }
      if (event.type === "acquired" || event.type === "unchanged") this.#taken += 1;
      const act = this.reentry;
      this.reentry = undefined;
      if (!act) return;
      this.#hasReentered = true;
      if (act === "get") this.get(undefined, false);
      if (act === "send") this.send(10);
      if (act === "reset") this.reset();
      if (act === "dispose") this.dispose();
      if (act === "report") this.report(this.leases.length - 1);
      if (act === "prefetch") this.prefetch();
    } catch (violation) {
      this.#failed ??= violation as Violation;
    }
  }

  /** The failure that is repeated for a second, by what was told. */
  #heldFailure(): TokenError | undefined {
    const final = this.events.findLast(
      ({ event }) => event.type === "failed" && event.retryInMs === undefined,
    );
    const isFresh = final && this.time.clock.mono() - final.atMs < 1_000;
    return isFresh ? this.#manager.getSnapshot().lastError : undefined;
  }

  #callback(version: number) {
    return (context: GetSessionTokenContext) => {
      try {
        must(version === this.#callbackVersion, "I23 the latest callback is called", version);
        must(!this.#isDisposed, "I17 nothing is called after disposal");
      } catch (violation) {
        this.#failed ??= violation as Violation;
      }
      return this.#answer(context);
    };
  }

  #answer(context: GetSessionTokenContext): Promise<never> {
    const behaviour: Behaviour = this.behaviours.shift() ?? {
      kind: "ok",
      latencyMs: 100,
      lifeMs: 3_600_000,
      aheadMs: undefined,
    };
    const { kind, latencyMs } = behaviour;
    const at = this.time.clock.mono();
    const index = this.calls.length;
    const call: Call = { at, context, behaviour, epoch: this.#epoch, isSettled: false };
    this.calls.push(call);
    this.model.note({ is: "asked", call: index });
    const askedWallMs = this.time.clock.wall();
    if (kind === "throws") {
      call.isSettled = true;
      throw Object.assign(new Error("at once"), { status: 500 });
    }
    const answer = async (): Promise<unknown> => {
      if (kind === "hangs") await new Promise(() => undefined);
      await this.#after(latencyMs);
      call.isSettled = true;
      this.model.note({ is: "looked" });
      if (kind === "busy")
        throw Object.assign(new Error("busy"), { status: 429, retryAfterMs: 2_000 });
      if (kind === "down") throw new TypeError("down");
      if (kind === "signed-out") throw new StopRefreshing();
      if (kind === "odd") throw undefined;
      if (kind === "malformed") return { session_token: `${secretPrefix}\n` };
      const value = this.#choose(kind);
      const { lifeMs, aheadMs } = behaviour;
      const believedMs = aheadMs === undefined ? lifeMs : lifeMs - aheadMs;
      // The endpoint's clock: what it says of an instant is read against the asking page's.
      const tookMs = Math.max(this.time.clock.mono() - at, this.time.clock.wall() - askedWallMs);
      const life = Math.min(believedMs, 3_600_000);
      const isDead = life <= 1_000 || life - tookMs <= Math.min(5_000, life / 20);
      this.model.note({
        is: "answered",
        call: index,
        reply: { value, lifeMs: believedMs, reactive: isDead },
      });
      return aheadMs === undefined
        ? { session_token: value, expires_in: lifeMs / 1000 }
        : { token: value, expiresAt: new Date(askedWallMs + believedMs) };
    };
    return answer() as Promise<never>;
  }

  #choose(kind: Behaviour["kind"]): string {
    const current = this.#manager.peek()?.value;
    if (kind === "same" && current) return current;
    const refused = [...this.revoked].at(-1);
    if (kind === "refused-before" && refused) return refused;
    this.#issued += 1;
    return `${secretPrefix}${this.#issued}`;
  }

  /** Waits in virtual time with a timer that is the endpoint's and not the manager's. */
  async #after(ms: number): Promise<void> {
    this.#ownTimers += 1;
    await new Promise<void>((resolve) => this.time.timers.set(resolve, ms));
    this.#ownTimers -= 1;
  }
}

const seconds = (most: number) => fc.integer({ min: 0, max: most * 1000 });

const behaviours: fc.Arbitrary<Behaviour> = fc
  .record({
    kind: fc.oneof(
      { weight: 8, arbitrary: fc.constant<Behaviour["kind"]>("ok") },
      {
        weight: 6,
        arbitrary: fc.constantFrom<Behaviour["kind"][]>(
          "same",
          "refused-before",
          "busy",
          "down",
          "signed-out",
          "odd",
          "throws",
          "malformed",
          "hangs",
        ),
      },
    ),
    latencyMs: fc.oneof(fc.constantFrom(0, 1, 100), seconds(20)),
    lifeMs: fc.oneof(
      fc.constantFrom(3_600_000, 20_000, 1_000, 60 * 86_400_000),
      fc.integer({ min: 1, max: 7_200 }).map((life) => life * 1000),
    ),
    aheadMs: fc.oneof(fc.constant(undefined), fc.integer({ min: -10_800_000, max: 10_800_000 })),
  })
  .map((behaviour) => {
    // Short lives of instants are calibrated, which has a property and tests of its own.
    const seemsMs = behaviour.lifeMs - (behaviour.aheadMs ?? 0);
    const isCalibrated = seemsMs > 1_000 && seemsMs < 600_000;
    return isCalibrated ? { ...behaviour, aheadMs: undefined } : behaviour;
  });

type Step = (machine: TokenMachine) => void | Promise<void>;

function command<Value>(
  name: string,
  given: fc.Arbitrary<Value>,
  run: (machine: TokenMachine, value: Value) => void | Promise<void>,
): fc.Arbitrary<fc.AsyncCommand<object, TokenMachine>> {
  return given.map((value) => ({
    check: () => true,
    async run(_: object, machine: TokenMachine) {
      const step: Step = (real) => run(real, value);
      await step(machine);
      await machine.check();
    },
    toString: () => `${name}(${fc.stringify(value)})`,
  }));
}

const nothing = fc.constant(undefined);

/** Random sequences of everything that can happen to a manager. */
export const tokenCommands: fc.Arbitrary<Iterable<fc.AsyncCommand<object, TokenMachine>>> =
  fc.commands(
    [
      command("get", fc.boolean(), (m, canAbort) => m.get(undefined, canAbort)),
      command("get", fc.boolean(), (m, canAbort) => m.get(undefined, canAbort)),
      command("demand", fc.integer({ min: 0, max: 4_000_000 }), (m, ms) => m.get(ms, false)),
      command("send", fc.oneof(fc.constant(1), seconds(40)), (m, ms) => m.send(ms)),
      command("send", fc.constant(1), (m, ms) => m.send(ms)),
      command("abort", fc.nat(5), (m, at) => m.abort(at)),
      command("report", fc.nat(20), (m, at) => m.report(at)),
      command("revoke", nothing, (m) => m.revoke()),
      command("reset", nothing, (m) => m.reset()),
      command("dispose", fc.constantFrom(true, ...Array<boolean>(30).fill(false)), (m, really) => {
        if (really) m.dispose();
      }),
      command("prefetch", nothing, (m) => m.prefetch()),
      command("setCallback", nothing, (m) => m.setCallback()),
      command("wake", nothing, (m) => m.wake()),
      command("behave", fc.array(behaviours, { minLength: 1, maxLength: 4 }), (m, next) => {
        m.behaviours = [...next];
      }),
      command(
        "reenter",
        fc.constantFrom<Reentry[]>("get", "send", "reset", "dispose", "report", "prefetch"),
        (m, act) => {
          m.reentry = act;
        },
      ),
      command("wait", seconds(5), (m, ms) => m.advance(ms)),
      command("wait", seconds(40), (m, ms) => m.advance(ms)),
      command("wait", seconds(4_000), (m, ms) => m.advance(ms)),
      command("sleep", seconds(8_000), (m, ms) => m.time.setWall(ms)),
      command("setClock", fc.integer({ min: -8_000_000, max: 8_000_000 }), (m, ms) =>
        m.time.setWall(ms),
      ),
    ],
    { maxCommands: 60, size: "max" },
  );

/** Runs so many sequences; fast-check prints the seed of one that breaks a rule. */
export async function checkTokenMachine(numRuns: number): Promise<Set<string>> {
  const transitions = new Set<string>();
  await fc.assert(
    fc.asyncProperty(tokenCommands, fc.integer(), async (commands, seed) => {
      const machine = new TokenMachine(seed);
      await fc.asyncModelRun(() => ({ model: {}, real: machine }), commands);
      await machine.finish();
      for (const transition of machine.transitions) transitions.add(transition);
    }),
    { numRuns },
  );
  return transitions;
}
