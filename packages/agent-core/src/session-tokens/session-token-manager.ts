import { callHost } from "../call-host.ts";
import { createCalibration } from "./calibration.ts";
import { createCallBudget } from "./call-budget.ts";
import { classifyFailure } from "./callback-failure.ts";
import { createLease, elapsedMs, type JudgedLease, type Moment, type TokenLease } from "./lease.ts";
import { createServerClock } from "./server-clock.ts";
import { parseSessionReply } from "./session-reply.ts";
import { TokenError, type TokenErrorCode } from "./token-error.ts";
import type {
  GetSessionToken,
  GetTokenOptions,
  SendWithToken,
  SessionTokenManager,
  SessionTokenManagerOptions,
  SessionTokenSnapshot,
  SessionTokenState,
  TokenEvent,
  TokenReason,
} from "./types.ts";
import { listenForWakeUps } from "./wake-ups.ts";
import { type Sending, sendTwice } from "./with-token.ts";

interface Waiter {
  resolve(lease: JudgedLease): void;
  reject(error: unknown): void;
}

/** One acquisition: up to three calls of the callback, for everybody who waits. */
interface Flight {
  readonly controller: AbortController;
  readonly waiters: Set<Waiter>;
  readonly stopListening: () => void;
}

const longestRetryWaitMs = 8_000;
const longestBackoffMs = 60_000;
const rememberedRejections = 8;
/** When the wall clock has moved further than the monotonic one by this, the laptop has slept. */
const sleepMs = 1_000;

/** Creates a manager. It does nothing until it is asked for a token. */
export function createSessionTokenManager(
  getSessionToken: GetSessionToken,
  options: SessionTokenManagerOptions = {},
): SessionTokenManager {
  const {
    callbackTimeoutMs = 15_000,
    acquireTimeoutMs = 30_000,
    failureHoldMs = 1_000,
    clock = { wall: () => Date.now(), mono: () => (globalThis.performance ?? Date).now() },
    timers = {
      set: (callback, delayMs) => setTimeout(callback, delayMs),
      clear: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
    },
    random = Math.random,
    wakeUps = listenForWakeUps,
  } = options;
  const budget = createCallBudget(clock.mono);
  const calibration = createCalibration();
  const serverClock = createServerClock(clock);
  const listeners = new Set<(event: TokenEvent) => void>();
  let callback = getSessionToken;
  let epoch = 0;
  let gen = 0;
  let reason: TokenReason = "initial";
  let lease: JudgedLease | undefined;
  let isAccepted = false;
  let freshRejections = 0;
  let flight: Flight | undefined;
  // What the flight under way is at: its call, or the wait before the next one. One timer for both.
  let attempt = 0;
  let askedAt: Moment | undefined;
  let timer: unknown;
  let cutWait: (() => void) | undefined;
  let lastError: TokenError | undefined;
  let heldUntilMs = 0;
  let gatedUntilMs = 0;
  let backoffs = 0;
  let rejected: readonly string[] = [];
  let isDisposed = false;
  let snapshot: SessionTokenSnapshot | undefined;

  const usable = (): JudgedLease | undefined => (lease?.zone() === "over" ? undefined : lease);
  const isHeld = (): boolean => clock.mono() < heldUntilMs;
  const isGated = (): boolean => clock.mono() < gatedUntilMs;

  function state(): SessionTokenState {
    if (isDisposed) return "DISPOSED";
    if (usable()) return flight ? "REFRESHING" : "READY";
    if (flight) return "ACQUIRING";
    return isHeld() ? "COOLING" : "EMPTY";
  }

  /** Told last, when everything is in place: a listener may call anything. */
  function emit(event: TokenEvent): void {
    for (const listener of [...listeners]) callHost(() => listener(event));
  }

  /** A token for who asked in that epoch, and for nobody of a later one. */
  async function getToken(
    began: number,
    { signal, minValidityMs = 0 }: GetTokenOptions = {},
  ): Promise<JudgedLease> {
    signal?.throwIfAborted();
    checkDeadline();
    let untilMs = 0;
    while (began === epoch) {
      // Nearly always there is a token in the middle of its life.
      const isPlain = minValidityMs === 0 && lease?.zone() === "fresh";
      let found = isPlain ? lease : findToken(minValidityMs);
      if (!found) untilMs ||= clock.mono() + acquireTimeoutMs;
      found = await (found ?? join(flight ?? startFlight(reason), signal, untilMs));
      // In the very moment in which a token comes the person may change, or the token be refused.
      if (found && found === lease) return found;
    }
    throw ending();
  }

  /** The token that is there, if it is good enough. */
  function findToken(minValidityMs: number): JudgedLease | undefined {
    const current = usable() as JudgedLease;
    switch (state()) {
      case "DISPOSED":
        throw ending();
      case "COOLING":
        throw lastError;
      case "READY":
        if (current.lasts(minValidityMs) || (isGated() && !lastError)) {
          if (current.zone() === "soon" && !isGated()) startFlight(reason);
          return current;
        }
        if (isHeld()) throw lastError;
        break;
      case "REFRESHING":
        if (current.lasts(minValidityMs)) return current;
        break;
      case "ACQUIRING":
      case "EMPTY":
    }
    return undefined;
  }

  function join(
    { waiters }: Flight,
    signal: AbortSignal | undefined,
    untilMs: number,
  ): Promise<JudgedLease> {
    return new Promise((resolve, reject) => {
      const settled =
        <Value>(settle: (value: Value) => void) =>
        (value: Value): void => {
          waiters.delete(waiter);
          timers.clear(limit);
          signal?.removeEventListener("abort", onAbort);
          settle(value);
        };
      const waiter: Waiter = { resolve: settled(resolve), reject: settled(reject) };
      const onAbort = (): void => waiter.reject(signal?.reason);
      const onLimit = (): void => {
        const message = `getSessionToken brought no token within ${acquireTimeoutMs / 1000} s.`;
        waiter.reject(new TokenError("acquire_timeout", message, { retryable: true }));
      };
      const limit = timers.set(onLimit, Math.max(0, untilMs - clock.mono()));
      signal?.addEventListener("abort", onAbort);
      waiters.add(waiter);
    });
  }

  function startFlight(why: TokenReason): Flight {
    const mine: Flight = {
      controller: new AbortController(),
      waiters: new Set(),
      stopListening: wakeUps(() => {
        checkDeadline();
        cutWait?.();
      }),
    };
    flight = mine;
    attempt = 0;
    void fly(mine, why);
    return mine;
  }

  async function fly(mine: Flight, why: TokenReason): Promise<void> {
    // Whoever asked is in line before anybody is told: listeners and the callback may do anything.
    await undefined;
    while (mine === flight) {
      attempt += 1;
      const began = { wallMs: clock.wall(), monoMs: clock.mono() };
      const retryAfterMs = budget.take();
      if (retryAfterMs > 0) {
        const message = "getSessionToken was called too often: what uses up its tokens?";
        const limited = { retryable: true, retryAfterMs, attempts: attempt - 1 };
        return fail(mine, new TokenError("rate_limited", message, limited));
      }
      try {
        askedAt = began;
        timer = timers.set(expire, callbackTimeoutMs);
        emit({ type: "request", reason: why, attempt });
        if (mine !== flight) return;
        const result = await callback({ signal: mine.controller.signal, reason: why, attempt });
        checkDeadline();
        if (mine === flight) accept(mine, result, began);
        else emit({ type: "late-result" });
        return;
      } catch (thrown) {
        checkDeadline();
        if (mine !== flight) return;
        endStep();
        const { error, maxAttempts } = classifyFailure(thrown, attempt);
        const { code, retryAfterMs } = error;
        const retryInMs =
          retryAfterMs ?? random() * Math.min(longestRetryWaitMs, 500 * 2 ** (attempt - 1));
        const again =
          mine.waiters.size > 0 && attempt < maxAttempts && retryInMs <= longestRetryWaitMs;
        if (!again) return fail(mine, error);
        const waited = new Promise<void>((resolve) => {
          timer = timers.set(resolve, retryInMs);
          // A time that the server named is kept to.
          if (retryAfterMs === undefined) cutWait = resolve;
        });
        tellFailure(code, retryInMs);
        await waited;
        if (mine === flight) endStep();
      }
    }
  }

  function endStep(): void {
    timers.clear(timer);
    askedAt = undefined;
    cutWait = undefined;
  }

  /** Ends a call that is overdue by either clock: a laptop that slept stops one of them. */
  function checkDeadline(): void {
    if (askedAt && elapsedMs(clock, askedAt) >= callbackTimeoutMs) expire();
  }

  function expire(): void {
    const mine = flight as Flight;
    // After a sleep the person has only just come back: the next use asks at once.
    const asked = askedAt as Moment;
    const hasSlept = elapsedMs(clock, asked) > clock.mono() - asked.monoMs + sleepMs;
    const message = `getSessionToken did not answer within ${callbackTimeoutMs / 1000} s.`;
    const error = new TokenError("callback_timeout", message, {
      retryable: true,
      attempts: attempt,
    });
    fail(mine, error, hasSlept ? 0 : failureHoldMs);
    mine.controller.abort();
  }

  function land(mine: Flight): void {
    flight = undefined;
    endStep();
    mine.stopListening();
  }

  function accept(mine: Flight, result: unknown, began: Moment): void {
    const offsetMs = serverClock.offsetMs();
    const reply = parseSessionReply(result, began.wallMs, offsetMs);
    if (rejected.includes(reply.value)) {
      throw new TokenError(
        "token_unchanged",
        "Your server returned a token that was just refused: is /api/session cached?",
      );
    }
    const before = lease;
    const isNew = before?.value !== reply.value;
    if (before && isNew && before.zone() !== "fresh") calibration.ended();
    const { source, lifeMs } = reply;
    const apparentMs = source === "absolute" ? lifeMs : undefined;
    const isDoubted = calibration.begin(apparentMs, began.monoMs);
    const terms = { ...reply, gen: isNew ? gen + 1 : gen, epoch, isDoubted, askedAt: began };
    const next = createLease(terms, clock, options);
    gen = next.gen;
    // One that is over already is as good as none, and the same again is judged by what is left.
    if (isNew || before.zone() === "over" || next.leftMs() > before.leftMs()) lease = next;
    if (isNew) isAccepted = false;
    reason = "refresh";
    lastError = undefined;
    // The same token again, nearly over: asking at once would only bring it once more.
    if (isNew || usable()?.zone() === "fresh") openGate();
    else closeGate();
    land(mine);
    for (const waiter of mine.waiters) waiter.resolve(lease as JudgedLease);
    const { reactive } = next;
    if (isNew) {
      const latencyMs = clock.mono() - began.monoMs;
      emit({ type: "acquired", gen: next.gen, latencyMs, lifeMs: next.lifeMs, source, reactive });
    } else {
      emit({ type: "unchanged", gen: next.gen });
    }
    if (reply.oddExpiry) emit({ type: "expiry-invalid", detail: reply.oddExpiry });
    const isDead = reactive && lifeMs !== undefined && !isDoubted;
    if (isDead || source === "offset") emit({ type: "clock-suspect", offsetMs });
  }

  function fail(mine: Flight, error: TokenError, holdMs: number = failureHoldMs): void {
    const { code, retryAfterMs = 0 } = error;
    land(mine);
    lastError = error;
    // What the endpoint asks for is kept to, within reason.
    heldUntilMs = clock.mono() + Math.max(holdMs, Math.min(retryAfterMs, longestBackoffMs));
    if (usable()) closeGate();
    for (const waiter of mine.waiters) waiter.reject(error);
    if (code === "callback_timeout") emit({ type: "timeout" });
    if (code === "rate_limited") emit({ type: "rate-limited", retryAfterMs });
    tellFailure(code);
  }

  function tellFailure(code: TokenErrorCode, retryInMs?: number): void {
    emit({ type: "failed", code, attempt, background: !!usable(), retryInMs });
  }

  /** What ends all that is under way: of this manager, or only of this person. */
  function ending(): TokenError {
    return isDisposed
      ? new TokenError("disposed", "The session was disposed of.")
      : new TokenError("session_reset", "The session was reset.");
  }

  function openGate(): void {
    gatedUntilMs = 0;
    backoffs = 0;
  }

  /** Keeps background flights apart. Who has no token does not wait for it. */
  function closeGate(): void {
    const backoffMs = Math.min(longestBackoffMs, 2_000 * 2 ** backoffs) * (0.5 + random());
    gatedUntilMs = Math.max(heldUntilMs, clock.mono() + backoffMs);
    backoffs += 1;
  }

  function reportRejected(refused: TokenLease, error?: TokenError): boolean {
    // A token of another person's time is nobody's now: that it was refused says nothing here.
    if (((refused as Partial<JudgedLease>).epoch ?? epoch) !== epoch) return false;
    if (!rejected.includes(refused.value)) {
      rejected = [...rejected, refused.value].slice(-rememberedRejections);
    }
    const current = lease?.value === refused.value ? lease : undefined;
    if (current) {
      lease = undefined;
      reason = "rejected";
      lastError = error ?? lastError;
      freshRejections = isAccepted ? 0 : freshRejections + 1;
      calibration.refused(clock.mono());
    }
    emit({ type: "rejected", gen: refused.gen, wasCurrent: current !== undefined });
    if (current && freshRejections > 1) emit({ type: "auth-loop", freshRejections });
    return current !== undefined;
  }

  /** Sends one request with the token of the person who was there when it began. */
  async function sendOnce(
    send: SendWithToken,
    signal: AbortSignal | undefined,
    attempt: 1 | 2,
    began: number,
  ): Promise<Sending> {
    const used = await getToken(began, { signal });
    if (began !== epoch) throw ending();
    // The caller may have left while everything was settled already.
    signal?.throwIfAborted();
    const sentMs = clock.mono();
    const { value, apiUrl } = used;
    const answer = await send(value, { attempt, apiUrl, signal });
    const { ok, status, headers } = answer;
    serverClock.learn(headers?.get("date"), sentMs);
    if (began === epoch && status !== 401 && value === lease?.value) {
      isAccepted = true;
      freshRejections = 0;
      if (ok && calibration.accepted(sentMs)) emit({ type: "clock-suspect" });
    }
    return [used, answer];
  }

  /** Ends everything under way. What it would still bring is not wanted any more. */
  function fence(): void {
    const ended = flight;
    epoch += 1;
    if (ended) land(ended);
    lease = undefined;
    reason = "initial";
    isAccepted = false;
    freshRejections = 0;
    lastError = undefined;
    heldUntilMs = 0;
    rejected = [];
    openGate();
    for (const waiter of ended?.waiters ?? []) waiter.reject(ending());
    ended?.controller.abort();
  }

  function dispose(): void {
    if (isDisposed) return;
    isDisposed = true;
    fence();
    emit({ type: "disposed" });
    listeners.clear();
  }

  return {
    getToken: (wanted) => getToken(epoch, wanted),
    peek: usable,
    prefetch() {
      if (state() === "EMPTY") startFlight("prefetch");
    },
    reportRejected: (refused) => reportRejected(refused),
    withToken(send, { signal, replayable = true } = {}) {
      const began = epoch;
      return sendTwice(
        (attempt) => sendOnce(send, signal, attempt, began),
        reportRejected,
        replayable,
      );
    },
    setCallback(next) {
      callback = next;
    },
    reset(why) {
      if (isDisposed) return;
      fence();
      emit({ type: "reset", reason: why });
    },
    dispose,
    [Symbol.dispose]: dispose,
    subscribe(listener) {
      // The same function may listen twice, and each time end by itself.
      const own = (event: TokenEvent): void => listener(event);
      if (!isDisposed) listeners.add(own);
      return () => void listeners.delete(own);
    },
    getSnapshot() {
      const next = { state: state(), gen, lastError, lastErrorCode: lastError?.code };
      const { state: last, gen: lastGen, lastError: lastKnown } = snapshot ?? {};
      if (last !== next.state || lastGen !== gen || lastKnown !== lastError) snapshot = next;
      return snapshot as SessionTokenSnapshot;
    },
  };
}
