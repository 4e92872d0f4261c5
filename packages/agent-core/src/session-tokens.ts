import { createCallBudget } from "./call-budget.ts";
import { callHost } from "./call-host.ts";
import { classifyFailure } from "./callback-failure.ts";
import {
  type Anchor,
  type Clock,
  createLease,
  type JudgedLease,
  type TokenLease,
} from "./lease.ts";
import { parseSessionReply, type SessionTokenResult } from "./session-reply.ts";
import { TokenError, type TokenErrorCode } from "./token-error.ts";

/** What `getSessionToken` is told about the call. It may ignore all of it. */
export interface GetSessionTokenContext {
  /** Fires when the answer is no longer wanted: time limit, reset, disposal. Never a caller's abort. */
  readonly signal: AbortSignal;
  readonly reason: "initial" | "refresh" | "rejected" | "prefetch";
  /** 1 for the first call of an acquisition. */
  readonly attempt: number;
}

/** Asks your server for a session token. Never called twice at once. */
export type GetSessionToken = (
  context: GetSessionTokenContext,
) => SessionTokenResult | PromiseLike<SessionTokenResult>;

/**
 * What a manager is doing.
 *
 * ```text
 * EMPTY --getToken--> ACQUIRING --ok--> READY --soon, getToken--> REFRESHING --ok/fail--> READY
 *   ^                    | fail                  | rejected                       | over
 *   |                    v                       v                                v
 *   +---- hold over -- COOLING                 EMPTY                          ACQUIRING
 * any --dispose--> DISPOSED          any but DISPOSED --reset--> EMPTY
 * ```
 */
export type SessionTokenState =
  | "EMPTY"
  | "ACQUIRING"
  | "READY"
  | "REFRESHING"
  | "COOLING"
  | "DISPOSED";

/** What happened inside a manager. Told after the state has changed; never holds a token. */
export type TokenEvent =
  | { readonly type: "request"; readonly reason: string; readonly attempt: number }
  | { readonly type: "acquired"; readonly gen: number; readonly source: string }
  | {
      readonly type: "failed";
      readonly code: TokenErrorCode;
      readonly attempt: number;
      readonly background: boolean;
      readonly retryInMs?: number;
    }
  | { readonly type: "rejected"; readonly gen: number; readonly wasCurrent: boolean }
  | { readonly type: "late-result" }
  | { readonly type: "reset" }
  | { readonly type: "disposed" };

/** A manager's state as one immutable value, the same one until something changes. */
export interface SessionTokenSnapshot {
  readonly state: SessionTokenState;
  readonly gen: number;
  /** Why the last acquisition failed, until one succeeds. */
  readonly lastError: TokenError | undefined;
}

/** Options of {@link SessionTokenManager.withToken}. */
export interface WithTokenOptions {
  /** Ends the caller's waiting. Touches nobody else's. */
  readonly signal?: AbortSignal;
  /** Whether the request may be sent a second time after a 401. @default true */
  readonly replayable?: boolean;
}

/** What a request learns beside its token. */
export interface SendContext {
  /** 2 when the request is sent again with a fresh token. */
  readonly attempt: 1 | 2;
  /** Where the session reply said that the API is. */
  readonly apiUrl: string | undefined;
}

/** Keeps one session token: lazy, cached, renewed early, fetched once for everybody. */
export interface SessionTokenManager {
  /**
   * The current token, fetched first if there is none. Concurrent callers share one fetch, and a
   * failed one leaves nothing behind that would fail the next.
   *
   * @throws {@link TokenError}, or the reason of the caller's own signal.
   */
  getToken(options?: { readonly signal?: AbortSignal }): Promise<TokenLease>;
  /** The current token if it is usable now. Calls nothing. */
  peek(): TokenLease | undefined;
  /** Fetches a token ahead of need, if there is none. Failures go to the events alone. */
  prefetch(): void;
  /** Says that the server refused a token; `true` if it was the current one. */
  reportRejected(lease: TokenLease): boolean;
  /**
   * Sends a request with a token, and after a 401 once more with a fresh one. Never a third time.
   *
   * @throws {@link TokenError} `token_rejected` when the fresh token was refused as well.
   */
  withToken(
    send: (token: string, context: SendContext) => Promise<Response>,
    options?: WithTokenOptions,
  ): Promise<Response>;
  /** Puts another callback in place for the next call. Causes none. */
  setCallback(callback: GetSessionToken): void;
  /** Forgets everything, because the person changed. Who waits is refused. */
  reset(): void;
  /** Ends the manager for good. */
  dispose(): void;
  subscribe(listener: (event: TokenEvent) => void): () => void;
  getSnapshot(): SessionTokenSnapshot;
}

/** Timers that a test can drive. */
export interface Timers {
  set(callback: () => void, delayMs: number): unknown;
  clear(timer: unknown): void;
}

/** Options of {@link createSessionTokenManager}. */
export interface SessionTokenManagerOptions {
  /** How long before its end a token is renewed, in milliseconds; at most a quarter of its life. @default 30_000 */
  readonly refreshAheadMs?: number;
  /** How long before its end a token is no longer used, in milliseconds; at most a twentieth of its life. @default 5_000 */
  readonly hardMarginMs?: number;
  /** The longest a token is believed to live, in milliseconds. @default 3_600_000 */
  readonly maxLifetimeMs?: number;
  /** How long one call of the callback may take, in milliseconds. @default 15_000 */
  readonly callbackTimeoutMs?: number;
  /** How long one caller waits for a token, in milliseconds. @default 30_000 */
  readonly acquireTimeoutMs?: number;
  /** For how long a failure is answered without asking again, in milliseconds. @default 1_000 */
  readonly failureHoldMs?: number;
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** At least 0 and below 1. @default Math.random */
  readonly random?: () => number;
}

interface Waiter {
  resolve(lease: TokenLease): void;
  reject(error: unknown): void;
}

interface Flight {
  readonly epoch: number;
  readonly background: boolean;
  readonly controller: AbortController;
  readonly waiters: Set<Waiter>;
  /** Cuts the wait before the next attempt short. */
  wake: () => void;
}

const longestRetryWaitMs = 8_000;
const rememberedRejections = 8;

/** Creates a manager. It does nothing until it is asked for a token. */
export function createSessionTokenManager(
  getSessionToken: GetSessionToken,
  {
    refreshAheadMs = 30_000,
    hardMarginMs = 5_000,
    maxLifetimeMs = 3_600_000,
    callbackTimeoutMs = 15_000,
    acquireTimeoutMs = 30_000,
    failureHoldMs = 1_000,
    clock = { wall: () => Date.now(), mono: () => performance.now() },
    timers = {
      set: (callback, delayMs) => setTimeout(callback, delayMs),
      clear: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
    },
    random = Math.random,
  }: SessionTokenManagerOptions = {},
): SessionTokenManager {
  const leaseOptions = { clock, refreshAheadMs, hardMarginMs, maxLifetimeMs };
  const budget = createCallBudget(clock.mono);
  const listeners = new Set<(event: TokenEvent) => void>();
  let callback = getSessionToken;
  let epoch = 0;
  let gen = 0;
  let lease: JudgedLease | undefined;
  let flight: Flight | undefined;
  let failure: { readonly error: TokenError; readonly untilMs: number } | undefined;
  let lastError: TokenError | undefined;
  let backgroundGateMs = 0;
  let backgroundFailures = 0;
  let rejected: readonly string[] = [];
  let disposed = false;
  let snapshot: SessionTokenSnapshot = { state: "EMPTY", gen: 0, lastError: undefined };

  function state(): SessionTokenState {
    if (disposed) return "DISPOSED";
    const usable = lease !== undefined && lease.zone() !== "over";
    if (flight) return usable ? "REFRESHING" : "ACQUIRING";
    if (usable) return "READY";
    return failure && clock.mono() < failure.untilMs ? "COOLING" : "EMPTY";
  }

  function emit(event: TokenEvent): void {
    for (const listener of [...listeners]) {
      callHost(() => listener(event));
    }
  }

  function startFlight(reason: GetSessionTokenContext["reason"], background: boolean): Flight {
    const started: Flight = {
      epoch,
      background,
      controller: new AbortController(),
      waiters: new Set(),
      wake: () => undefined,
    };
    flight = started;
    void fly(started, reason);
    return started;
  }

  async function fly(mine: Flight, reason: GetSessionTokenContext["reason"]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const anchor: Anchor = { wallMs: clock.wall(), monoMs: clock.mono() };
      try {
        const reply = await callOnce(mine, reason, attempt);
        if (mine !== flight) return emit({ type: "late-result" });
        return accept(mine, reply, anchor);
      } catch (thrown) {
        if (mine !== flight) return;
        const { error, maxAttempts, retryAfterMs } = classifyFailure(thrown, attempt);
        const delayMs =
          retryAfterMs ?? random() * Math.min(longestRetryWaitMs, 500 * 2 ** (attempt - 1));
        const again =
          mine.waiters.size > 0 && attempt < maxAttempts && delayMs <= longestRetryWaitMs;
        if (!again) return land(mine, error, attempt);
        const { background } = mine;
        emit({ type: "failed", code: error.code, attempt, background, retryInMs: delayMs });
        await waitFor(mine, delayMs);
        if (mine !== flight) return;
      }
    }
  }

  /** One call of the callback, within the budget and the time limit. */
  async function callOnce(
    mine: Flight,
    reason: GetSessionTokenContext["reason"],
    attempt: number,
  ): Promise<SessionTokenResult> {
    const waitMs = budget.take();
    if (waitMs > 0) {
      throw new TokenError(
        "rate_limited",
        "The session endpoint was asked too often; something uses up tokens as fast as they come.",
        { retryable: true, retryAfterMs: waitMs, attempts: attempt - 1 },
      );
    }
    emit({ type: "request", reason, attempt });
    const { signal } = mine.controller;
    let timer: unknown;
    const limit = new Promise<never>((_, reject) => {
      timer = timers.set(() => {
        reject(
          new TokenError(
            "callback_timeout",
            `getSessionToken did not answer within ${callbackTimeoutMs / 1000} s.`,
            { retryable: true, attempts: attempt },
          ),
        );
        mine.controller.abort();
      }, callbackTimeoutMs);
    });
    try {
      return await Promise.race([call({ signal, reason, attempt }), limit]);
    } finally {
      timers.clear(timer);
    }
  }

  /** Asynchronous whatever the callback is: what it throws at once is a rejection, too. */
  async function call(context: GetSessionTokenContext): Promise<SessionTokenResult> {
    return callback(context);
  }

  function waitFor(mine: Flight, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timers.set(resolve, delayMs);
      mine.wake = () => {
        timers.clear(timer);
        resolve();
      };
    });
  }

  function accept(mine: Flight, result: SessionTokenResult, anchor: Anchor): void {
    const reply = parseSessionReply(result, anchor.wallMs);
    if (rejected.includes(reply.value)) {
      throw new TokenError(
        "token_unchanged",
        "Your server returned a token that was just refused: is the session endpoint cached?",
      );
    }
    if (lease?.value !== reply.value) gen += 1;
    lease = createLease(reply, gen, anchor, leaseOptions);
    flight = undefined;
    failure = undefined;
    lastError = undefined;
    backgroundFailures = 0;
    // The same token again, nearly over: asking at once would only get it once more.
    backgroundGateMs = lease.zone() === "fresh" ? 0 : clock.mono() + 2_000;
    for (const waiter of mine.waiters) waiter.resolve(lease);
    emit({ type: "acquired", gen, source: reply.source });
  }

  function land(mine: Flight, error: TokenError, attempt: number): void {
    flight = undefined;
    lastError = error;
    if (lease && lease.zone() !== "over") {
      const backoffMs = Math.min(60_000, 2_000 * 2 ** backgroundFailures);
      backgroundFailures += 1;
      backgroundGateMs = clock.mono() + backoffMs * (0.5 + random());
    } else {
      failure = { error, untilMs: clock.mono() + failureHoldMs };
    }
    for (const waiter of mine.waiters) waiter.reject(error);
    emit({ type: "failed", code: error.code, attempt, background: mine.background });
  }

  function join(which: Flight, signal: AbortSignal | undefined): Promise<TokenLease> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        which.waiters.delete(waiter);
        timers.clear(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter = {
        resolve(found) {
          leave();
          resolve(found);
        },
        reject(error) {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.reject(signal?.reason);
      const timer = timers.set(() => {
        const message = `No session token came within ${acquireTimeoutMs / 1000} s.`;
        waiter.reject(new TokenError("acquire_timeout", message, { retryable: true }));
      }, acquireTimeoutMs);
      signal?.addEventListener("abort", onAbort);
      which.waiters.add(waiter);
    });
  }

  function getToken({ signal }: { readonly signal?: AbortSignal } = {}): Promise<TokenLease> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (disposed) return Promise.reject(disposal());
    const zone = lease?.zone() ?? "over";
    if (lease && zone !== "over") {
      const due = zone === "soon" && !flight && clock.mono() >= backgroundGateMs;
      const current = lease;
      if (due) startFlight("refresh", true);
      return Promise.resolve(current);
    }
    if (!flight && failure && clock.mono() < failure.untilMs) return Promise.reject(failure.error);
    const reason = rejected.length > 0 ? "rejected" : gen > 0 ? "refresh" : "initial";
    return join(flight ?? startFlight(reason, false), signal);
  }

  function reportRejected(refused: TokenLease): boolean {
    if (!rejected.includes(refused.value)) {
      rejected = [...rejected, refused.value].slice(-rememberedRejections);
    }
    const wasCurrent = lease?.value === refused.value;
    if (wasCurrent) lease = undefined;
    emit({ type: "rejected", gen: refused.gen, wasCurrent });
    return wasCurrent;
  }

  /** Ends everything under way. What it would still bring is not wanted any more. */
  function fence(error: TokenError): void {
    const ended = flight;
    epoch += 1;
    flight = undefined;
    lease = undefined;
    failure = undefined;
    lastError = undefined;
    rejected = [];
    backgroundGateMs = 0;
    backgroundFailures = 0;
    ended?.controller.abort();
    ended?.wake();
    for (const waiter of [...(ended?.waiters ?? [])]) waiter.reject(error);
  }

  return {
    getToken,
    peek: () => (lease && lease.zone() !== "over" ? lease : undefined),
    prefetch() {
      if (disposed || flight || (lease && lease.zone() !== "over")) return;
      if (failure && clock.mono() < failure.untilMs) return;
      startFlight("prefetch", false);
    },
    reportRejected,
    async withToken(send, { signal, replayable = true } = {}) {
      const began = epoch;
      const options = signal === undefined ? {} : { signal };
      const first = await getToken(options);
      if (epoch !== began) throw resetError();
      const answer = await send(first.value, { attempt: 1, apiUrl: first.apiUrl });
      if (answer.status !== 401) return answer;
      if (epoch === began) reportRejected(first);
      if (!replayable) return answer;
      await answer.body?.cancel().catch(() => undefined);
      if (epoch !== began) throw resetError();
      const second = await getToken(options);
      if (epoch !== began) throw resetError();
      const again = await send(second.value, { attempt: 2, apiUrl: second.apiUrl });
      if (again.status !== 401) return again;
      await again.body?.cancel().catch(() => undefined);
      if (epoch === began) reportRejected(second);
      throw new TokenError(
        "token_rejected",
        "The server refused a token that your session endpoint had only just returned. Do both use the same project and server?",
        { status: 401 },
      );
    },
    setCallback(next) {
      callback = next;
    },
    reset() {
      if (disposed) return;
      fence(resetError());
      emit({ type: "reset" });
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      fence(disposal());
      emit({ type: "disposed" });
      listeners.clear();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    getSnapshot() {
      const now = state();
      if (now !== snapshot.state || gen !== snapshot.gen || lastError !== snapshot.lastError) {
        snapshot = { state: now, gen, lastError };
      }
      return snapshot;
    },
  };
}

function resetError(): TokenError {
  return new TokenError("session_reset", "The session was reset while the request was waiting.");
}

function disposal(): TokenError {
  return new TokenError("disposed", "This agent was disposed of.");
}
