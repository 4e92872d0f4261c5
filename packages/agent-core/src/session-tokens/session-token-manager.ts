import { callHost } from "../call-host.ts";
import { createCalibration } from "./calibration.ts";
import { createCallBudget } from "./call-budget.ts";
import { classifyFailure } from "./callback-failure.ts";
import { createLease, type JudgedLease, type Moment, type TokenLease } from "./lease.ts";
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
  /** Whether it began while there was a usable token. */
  readonly background: boolean;
  readonly controller: AbortController;
  readonly waiters: Set<Waiter>;
  readonly stopListening: () => void;
}

const longestRetryWaitMs = 8_000;
const longestBackoffMs = 60_000;
const rememberedRejections = 8;

/** Creates a manager. It does nothing until it is asked for a token. */
export function createSessionTokenManager(
  getSessionToken: GetSessionToken,
  options: SessionTokenManagerOptions = {},
): SessionTokenManager {
  const {
    callbackTimeoutMs = 15_000,
    acquireTimeoutMs = 30_000,
    failureHoldMs = 1_000,
    clock = { wall: () => Date.now(), mono: () => performance.now() },
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

  async function getToken(wanted: GetTokenOptions = {}): Promise<JudgedLease> {
    wanted.signal?.throwIfAborted();
    const began = epoch;
    checkDeadline();
    // In the very moment in which a token comes the person may change, or the token be refused.
    const found = began === epoch && (await findToken(wanted));
    if (!found || began !== epoch) throw ending();
    return rejected.includes(found.value) ? getToken(wanted) : found;
  }

  async function findToken({ signal, minValidityMs = 0 }: GetTokenOptions): Promise<JudgedLease> {
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
    return join(flight ?? startFlight(reason), signal);
  }

  function join({ waiters }: Flight, signal: AbortSignal | undefined): Promise<JudgedLease> {
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
      const limit = timers.set(() => {
        const message = `No session token came within ${acquireTimeoutMs / 1000} s.`;
        waiter.reject(new TokenError("acquire_timeout", message, { retryable: true }));
      }, acquireTimeoutMs);
      signal?.addEventListener("abort", onAbort);
      waiters.add(waiter);
    });
  }

  function startFlight(why: TokenReason): Flight {
    const mine: Flight = {
      background: usable() !== undefined,
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
      try {
        const retryAfterMs = budget.take();
        if (retryAfterMs > 0) {
          const message = "Your session endpoint was asked too often: what uses up its tokens?";
          const attempts = attempt - 1;
          throw new TokenError("rate_limited", message, {
            retryable: true,
            retryAfterMs,
            attempts,
          });
        }
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
        tellFailure(mine, code, retryInMs);
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
    if (!askedAt) return;
    const tookMs = Math.max(clock.wall() - askedAt.wallMs, clock.mono() - askedAt.monoMs);
    if (tookMs >= callbackTimeoutMs) expire();
  }

  function expire(): void {
    const mine = flight as Flight;
    // After a sleep the person has only just come back: the next use asks at once.
    const hasSlept = clock.mono() - (askedAt as Moment).monoMs < callbackTimeoutMs;
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
    if (isNew || next.leftMs() > before.leftMs()) lease = next;
    if (isNew) isAccepted = false;
    reason = "refresh";
    lastError = undefined;
    heldUntilMs = 0;
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
    land(mine);
    lastError = error;
    heldUntilMs = clock.mono() + holdMs;
    if (usable()) closeGate();
    for (const waiter of mine.waiters) waiter.reject(error);
    const { code, retryAfterMs = 0 } = error;
    if (code === "callback_timeout") emit({ type: "timeout" });
    if (code === "rate_limited") emit({ type: "rate-limited", retryAfterMs });
    tellFailure(mine, code);
  }

  function tellFailure({ background }: Flight, code: TokenErrorCode, retryInMs?: number): void {
    emit({ type: "failed", code, attempt, background, retryInMs });
  }

  /** What ends all that is under way: of this manager, or only of this person. */
  function ending(): TokenError {
    return isDisposed
      ? new TokenError("disposed", "This agent was disposed of.")
      : new TokenError("session_reset", "The session was reset while the request was waiting.");
  }

  function openGate(): void {
    gatedUntilMs = 0;
    backoffs = 0;
  }

  /** Keeps background flights apart. Who has no token does not wait for it. */
  function closeGate(): void {
    const backoffMs = Math.min(longestBackoffMs, 2_000 * 2 ** backoffs) * (0.5 + random());
    gatedUntilMs = clock.mono() + backoffMs;
    backoffs += 1;
  }

  function reportRejected(refused: TokenLease): boolean {
    // A token of another person's time is nobody's now: that it was refused says nothing here.
    if (isDisposed || ((refused as Partial<JudgedLease>).epoch ?? epoch) !== epoch) return false;
    if (!rejected.includes(refused.value)) {
      rejected = [...rejected, refused.value].slice(-rememberedRejections);
    }
    const current = lease?.value === refused.value ? lease : undefined;
    if (current) {
      lease = undefined;
      reason = "rejected";
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
    const used = await getToken({ signal });
    if (began !== epoch) throw ending();
    // The caller may have left while everything was settled already.
    signal?.throwIfAborted();
    const sentMs = clock.mono();
    const { value, apiUrl } = used;
    const answer = await send(value, { attempt, apiUrl, signal });
    const { ok, status, headers } = answer;
    serverClock.learn(headers?.get("date"), sentMs);
    if (began === epoch && status !== 401) {
      if (value === lease?.value) {
        isAccepted = true;
        freshRejections = 0;
        if (ok && calibration.accepted(sentMs)) emit({ type: "clock-suspect" });
      }
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
    getToken,
    peek: usable,
    prefetch() {
      if (state() === "EMPTY") startFlight("prefetch");
    },
    reportRejected,
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
      if (!isDisposed) listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    getSnapshot() {
      const next = { state: state(), gen, lastError, lastErrorCode: lastError?.code };
      const isSame =
        next.state === snapshot?.state && gen === snapshot.gen && lastError === snapshot.lastError;
      if (!isSame || !snapshot) snapshot = next;
      return snapshot;
    },
  };
}
