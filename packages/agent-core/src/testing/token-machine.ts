import { inspect } from "node:util";
import fc from "fast-check";
import type { TokenLease } from "../session-tokens/lease.ts";
import { createSessionTokenManager } from "../session-tokens/session-token-manager.ts";
import { isTokenError, StopRefreshing, type TokenError } from "../session-tokens/token-error.ts";
import type { GetSessionTokenContext, TokenEvent } from "../session-tokens/types.ts";
import { TokenModel } from "./token-model.ts";
import { createVirtualTime } from "./virtual-time.ts";

/** What the next call of the callback does. */
export interface Behaviour {
  readonly kind:
    | "ok"
    | "same"
    | "refused-before"
    | "busy"
    | "busy-for-long"
    | "down"
    | "quotes"
    | "tells"
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
  readonly wallAt: number;
  readonly context: GetSessionTokenContext;
  readonly behaviour: Behaviour;
  readonly epoch: number;
  isSettled: boolean;
}

interface Caller {
  readonly startedMs: number;
  readonly epoch: number;
  readonly abort: AbortController | undefined;
  readonly demandMs: number | undefined;
  outcome: { value?: string; error?: unknown; atMs: number; epoch: number } | undefined;
}

interface Request {
  readonly startedMs: number;
  readonly sends: string[];
  sendingMs: number;
  settled: boolean;
}

/** What a listener does at the next event. */
export type Reentry = "get" | "send" | "reset" | "dispose" | "report" | "prefetch" | "throw";

/** What a listener throws: its own fault, and nobody else's. */
export const listenersFault = new Error("a listener's own fault");

const secretPrefix = "s3cret-";
const longLife = { lifeMs: 3_600_000, aheadMs: undefined } as const;

class Violation extends Error {}

/** Breaks the sequence, naming the rule. */
export function must(condition: boolean, invariant: string, detail?: unknown): void {
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
  #lastState = "EMPTY";
  #shown: { readonly snapshot?: object; readonly current?: TokenLease | undefined } = {};
  /** When the last failure that was not tried again stops being repeated. */
  #heldUntilMs = 0;
  /** Calls that the budget has, as the rule says it: ten at first, one more each 6 s. */
  #budget = { calls: 10, atMs: 0 };
  /** Requests that were told and not made yet. */
  #requests = 0;
  /** What was heard outside: faults that nobody handled, and things written where none may be. */
  readonly #heard: readonly unknown[];
  /** Whether a listener has changed things since the last check. */
  #hasReentered = false;

  constructor(seed: number, heard: readonly unknown[] = []) {
    this.#heard = heard;
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

  get(minValidityMs: number | undefined, canAbort: boolean): Caller {
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
      demandMs: minValidityMs,
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
      if (usable && caller.demandMs === undefined) {
        must(caller.outcome?.value === usable.value, "I11 at once", { usable, caller });
        must(caller.outcome?.atMs === caller.startedMs, "I11 in no time", caller);
      }
      if (!usable && held && before.state === "COOLING") {
        must(caller.outcome?.error === held, "COOLING repeats its error", { held, caller });
        must(this.calls.length === callsBefore, "COOLING calls nothing", this.calls.length);
      }
    });
    return caller;
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
        // Only whoever asks for another token looks whether a call is overdue.
        const asksAgain = isRefused && attempt === 1 && this.#epoch === epoch;
        if (asksAgain) this.model.note({ is: "looked" });
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
        // Two waits for a token, and what its own sends have taken.
        const waitedMs = this.time.clock.mono() - request.startedMs - request.sendingMs;
        this.#note(() => must(waitedMs <= 2 * 30_000, "I2 withToken in time", { waitedMs }));
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
    const { length } = this.calls;
    this.#report(this.leases[index % Math.max(1, this.leases.length)]);
    this.#expect(() => must(this.calls.length === length, "I5 no call later either", length));
  }

  /** A late 401 for a token that is not current any more, and an endpoint that hands it out again. */
  reissue(index: number): void {
    const { peek } = this.#manager;
    const old = this.leases.filter(({ value, ...lease }) => {
      const { epoch } = lease as unknown as { epoch: number };
      return epoch === this.#epoch && value !== peek()?.value;
    });
    const late = old[index % Math.max(1, old.length)];
    this.#report(late);
    if (peek()) this.#report(peek());
    if (late) this.behaviours = [{ kind: "refused-before", latencyMs: 1, ...longLife }];
    this.get(undefined, false);
  }

  #report(lease: TokenLease | undefined): void {
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
      this.#heldUntilMs = 0;
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

  /** Uses and resets, as fast as a page in a loop can. */
  async storm(everyMs: number): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      this.get(undefined, false);
      await this.time.advance(everyMs);
      this.reset();
      await this.check();
    }
  }

  /** The endpoint is healthy from now on: the next use succeeds as soon as the rules let it. */
  async recover(): Promise<void> {
    if (this.#isDisposed) return;
    this.reentry = undefined;
    this.behaviours = [];
    // A call that was under way may still fail, and the wait for its next one go on.
    await this.time.advance(15_000 + 8_000 + 100);
    await this.check();
    const { clock } = this.time;
    await this.time.advance(Math.max(0, this.#heldUntilMs - clock.mono()));
    await this.time.advance(Math.max(0, 6_000 * (1 - this.#callsLeft())));
    const caller = this.get(undefined, false);
    await this.time.advance(100);
    must(caller.outcome?.value !== undefined, "I14 a healthy endpoint is enough", caller);
  }

  /** Another manager in the same page: for somebody else, with the same texts. */
  async beside(): Promise<void> {
    const refused = this.model.refused().at(-1);
    const value = refused ?? `${secretPrefix}beside`;
    const { clock, timers } = this.time;
    const other = createSessionTokenManager(() => ({ token: value, expiresIn: 3600 }), {
      clock,
      timers,
      wakeUps: () => () => undefined,
    });
    must(other.peek() === undefined, "I22 another manager has a token of its own");
    const given = await other.getToken().catch((error: unknown) => error);
    must((given as TokenLease).value === value, "I22 another manager is not held back", given);
    must(other.getSnapshot().gen === 1, "I22 another manager counts for itself");
    other.dispose();
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
    // What nobody has handled is told only when everything else is done.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#failed) throw this.#failed;
    must(this.#heard.length === 0, "I18, I19 nothing is heard outside", this.#heard);
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
    for (const { at } of live) must(nowMs - at < 15_000, "I2 no call is waited for for longer", at);
    for (const caller of this.callers) {
      const isLate = !caller.outcome && nowMs - caller.startedMs >= 30_000;
      must(!isLate, "I2 every getToken is answered in time", caller);
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
    if (snapshot === this.#shown.snapshot && current === this.#shown.current) return;
    this.#shown = { snapshot, current };
    // What the page's own callback threw stands in an error's cause, and only there.
    const { lastError, ...rest } = snapshot;
    const seen = [rest, { ...lastError }, lastError?.stack, current];
    const shown = `${JSON.stringify([snapshot, current])}${inspect(seen)}`;
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
      await this.recover();
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
    must(!inspect(this.#manager, { depth: 9 }).includes(secretPrefix), "I19 no token in a manager");
    must(
      ((this.callers.at(-1)?.outcome?.error ?? {}) as { code?: string }).code === "disposed",
      "I17 callers are told",
    );
  }

  // How it is watched.

  #end(caller: Caller, end: { value?: string; error?: unknown }): void {
    const nowMs = this.time.clock.mono();
    caller.outcome = { ...end, atMs: nowMs, epoch: this.#epoch };
    this.#note(() => {
      const waitedMs = nowMs - caller.startedMs;
      must(waitedMs <= 30_000, "I2 getToken in time", caller);
      if (end.value !== undefined) {
        must(caller.epoch === this.#epoch, "I9 no token of another person's time", caller);
        must(!this.model.isRefused(end.value), "I8 a refused value is not given", caller);
        must(!this.#isDisposed, "I17 no token after disposal", caller);
      } else {
        const isOfCaller = caller.abort && end.error === caller.abort.signal.reason;
        must(isOfCaller || isTokenError(end.error), "a failure is a TokenError", end.error);
        const { code, stack } = end.error as TokenError;
        // What the page's own callback threw stands in the cause, and only there.
        const shown = `${stack}${JSON.stringify(end.error)}${inspect({ ...(end.error as object) })}`;
        must(!shown.includes(secretPrefix), "I19 no token in an error", shown);
        if (code === "acquire_timeout") {
          must(waitedMs >= 30_000, "I10 nobody's time is over early", caller);
          const call = this.calls.at(-1);
          const { wall } = this.time.clock;
          const isWanted =
            call?.epoch === this.#epoch &&
            !call.isSettled &&
            Math.max(nowMs - call.at, wall() - call.wallAt) < 15_000;
          must(!isWanted || !call.context.signal.aborted, "I10 the call goes on", call?.at);
        }
        const usable = this.model.usable();
        const isOwn = code === undefined || code === "session_reset" || code === "disposed";
        const isDemanding = caller.demandMs !== undefined;
        const isHidden = !usable || isDemanding || isOwn || caller.epoch !== this.#epoch;
        // Who waits does so because nothing was usable then; a joined renewal may fail under them.
        const waited = nowMs > caller.startedMs;
        must(isHidden || waited, "I12 no failure is seen while a token is usable", caller);
      }
    });
  }

  /** Looks at something in the middle of a step; the step ends with what is wrong. */
  #note(look: () => void): void {
    try {
      look();
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
    must(this.#manager.getSnapshot().gen === gen, "I16 gen is the token's", gen);
    const last = this.#lastSeen ?? { gen: 0, value: "" };
    must(last.value === value ? last.gen === gen : gen > last.gen, "I16 gen", { last, gen });
    this.#lastSeen = { gen, value };
  }

  #onEvent(event: TokenEvent): void {
    let act: Reentry | undefined;
    this.#note(() => {
      this.#look();
      must(this.events.at(-1)?.event.type !== "disposed", "I17 nothing is told afterwards", event);
      const nowMs = this.time.clock.mono();
      this.events.push({ atMs: nowMs, event });
      const shown = inspect(event);
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
        if (event.type === "acquired" || event.type === "unchanged") {
          const { peek } = this.#manager;
          if (event.type === "acquired") this.#judge(event);
          must(peek()?.value === this.model.usable()?.value, "I20 the token is there", peek());
        }
      }
      if (event.type === "request") {
        // A listener may keep the call from being made: it counts all the same.
        const calls = this.#callsLeft() - 1;
        must(calls > -1e-9, "I4 more calls than the budget has", { calls });
        this.#budget = { calls, atMs: nowMs };
        this.#requests += 1;
      }
      if (event.type === "rate-limited") {
        must(this.#callsLeft() < 1, "I4 the budget is not used up", this.#callsLeft());
      }
      if (event.type === "failed" && event.retryInMs === undefined) {
        const { lastError } = snapshot;
        const saysMs = Math.min(60_000, lastError?.retryAfterMs ?? 0);
        // A reset that came in between has dropped it.
        if (lastError?.code === event.code) this.#heldUntilMs = nowMs + Math.max(1_000, saysMs);
      }
      act = this.reentry;
      this.reentry = undefined;
      if (!act) return;
      this.#hasReentered = true;
      if (act === "get") this.get(undefined, false);
      if (act === "send") this.send(10);
      if (act === "reset") this.reset();
      if (act === "dispose") this.dispose();
      if (act === "report") this.#report(this.#manager.peek());
      if (act === "prefetch") this.prefetch();
    });
    if (act === "throw") throw listenersFault;
  }

  /** Which tokens only the server is to end: the manager may decide so when it tries out a clock. */
  #judge({ reactive, source }: Extract<TokenEvent, { type: "acquired" }>): void {
    const reply = this.model.lastReply();
    if (!reply || reactive === reply.reactive) return;
    const { lifeMs } = reply;
    const isShort = source === "absolute" && lifeMs > 1_000 && lifeMs < 600_000;
    must(reactive && isShort && this.model.shortLives() >= 3, "I13 a life is doubted", reply);
    reply.reactive = true;
  }

  /** How many calls the rule allows now, in whole and broken ones. */
  #callsLeft(): number {
    const { calls, atMs } = this.#budget;
    return Math.min(10, calls + (this.time.clock.mono() - atMs) / 6_000);
  }

  /** No call is made that nobody needs: the token is nearly over, or somebody wants one that lasts. */
  #isNeeded(): boolean {
    const nowMs = this.time.clock.mono();
    const usable = this.model.usable();
    const isDemanded = this.callers.some(
      ({ demandMs, startedMs }) => demandMs !== undefined && startedMs === nowMs,
    );
    return !usable || usable.leftMs <= usable.aheadMs || isDemanded;
  }

  /** The failure that is repeated without a call, by what was told. */
  #heldFailure(): TokenError | undefined {
    const isHeld = this.time.clock.mono() < this.#heldUntilMs;
    return isHeld ? this.#manager.getSnapshot().lastError : undefined;
  }

  #callback(version: number) {
    return (context: GetSessionTokenContext) => {
      this.#note(() => {
        must(version === this.#callbackVersion, "I23 the latest callback is called", version);
        must(!this.#isDisposed, "I17 nothing is called after disposal");
        const before = this.calls.at(-1);
        const isLive = before && !before.isSettled && !before.context.signal.aborted;
        must(!isLive, "I1 one call at a time", before?.at);
        must(context.attempt > 1 || this.#isNeeded(), "I6 a call is made for nothing", context);
        this.#requests -= 1;
        must(this.#requests >= 0, "I4 each call is told first", this.#requests);
      });
      return this.#answer(context);
    };
  }

  #answer(context: GetSessionTokenContext): Promise<never> {
    const behaviour: Behaviour = this.behaviours.shift() ?? {
      kind: "ok",
      latencyMs: 100,
      ...longLife,
    };
    const { kind, latencyMs } = behaviour;
    const at = this.time.clock.mono();
    const wallAt = this.time.clock.wall();
    const index = this.calls.length;
    const call: Call = { at, wallAt, context, behaviour, epoch: this.#epoch, isSettled: false };
    this.calls.push(call);
    this.model.note({ is: "asked", call: index });
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
      if (kind === "busy-for-long") {
        throw Object.assign(new Error("busy"), { status: 503, retryAfterMs: 40_000 });
      }
      if (kind === "down") throw new TypeError("down");
      if (kind === "quotes") return JSON.parse(`${secretPrefix}quoted`);
      if (kind === "tells") throw new Error(`not ${secretPrefix}told`);
      if (kind === "signed-out") throw new StopRefreshing();
      if (kind === "odd") throw undefined;
      if (kind === "malformed") return { session_token: `${secretPrefix}\n` };
      const value = this.#choose(kind);
      const { lifeMs, aheadMs } = behaviour;
      const believedMs = aheadMs === undefined ? lifeMs : lifeMs - aheadMs;
      // The endpoint's clock: what it says of an instant is read against the asking page's.
      const tookMs = Math.max(this.time.clock.mono() - at, this.time.clock.wall() - wallAt);
      const life = Math.min(believedMs, 3_600_000);
      const isDead = life <= 1_000 || life - tookMs <= Math.min(5_000, life / 20);
      this.model.note({
        is: "answered",
        call: index,
        reply: { value, lifeMs: believedMs, reactive: isDead, isAbsolute: aheadMs !== undefined },
      });
      return aheadMs === undefined
        ? { session_token: value, expires_in: lifeMs / 1000 }
        : { token: value, expiresAt: new Date(wallAt + believedMs) };
    };
    return answer() as Promise<never>;
  }

  #choose(kind: Behaviour["kind"]): string {
    const current = this.#manager.peek()?.value;
    if (kind === "same" && current) return current;
    const refused = this.model.refused().at(-1) ?? [...this.revoked].at(-1);
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
