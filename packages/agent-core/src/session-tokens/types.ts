/// <reference lib="esnext.disposable" preserve="true" />
import type { Clock, TokenLease } from "./lease.ts";
import type { LifeSource, OddExpiry, SessionTokenResult } from "./session-reply.ts";
import type { TokenError, TokenErrorCode } from "./token-error.ts";

/** Why a token is asked for. */
export type TokenReason = "initial" | "refresh" | "rejected" | "prefetch";

/** What `getSessionToken` is told about the call. It may ignore all of it. */
export interface GetSessionTokenContext {
  /** Fires when the answer is no longer wanted: time limit, reset, disposal. Never a caller's abort. */
  readonly signal: AbortSignal;
  readonly reason: TokenReason;
  /** 1 for the first call of an acquisition. */
  readonly attempt: number;
}

/** Asks your server for a session token. Never called twice at once. */
export type GetSessionToken = (
  context: GetSessionTokenContext,
) => SessionTokenResult | PromiseLike<SessionTokenResult>;

/** What a manager is doing. The table of all transitions is `states.md`. */
export type SessionTokenState =
  | "EMPTY"
  | "ACQUIRING"
  | "READY"
  | "REFRESHING"
  | "COOLING"
  | "DISPOSED";

/** What happened inside a manager. Told after the state has changed; never holds a token. */
export type TokenEvent =
  | { readonly type: "request"; readonly reason: TokenReason; readonly attempt: number }
  | {
      readonly type: "acquired";
      readonly gen: number;
      readonly latencyMs: number;
      /** `null` when only the server can tell when it ends. */
      readonly lifeMs: number | null;
      readonly source: LifeSource;
      /** Whether it is used until the server refuses it. */
      readonly reactive: boolean;
    }
  /** The endpoint answered with the token that is already there. */
  | { readonly type: "unchanged"; readonly gen: number }
  | {
      readonly type: "failed";
      readonly code: TokenErrorCode;
      readonly attempt: number;
      /** Whether there was a usable token all the while, so that nobody had to wait. */
      readonly background: boolean;
      /** When it is tried again. Absent: it is not. */
      readonly retryInMs?: number | undefined;
    }
  | { readonly type: "rejected"; readonly gen: number; readonly wasCurrent: boolean }
  /** A call of the callback took too long. */
  | { readonly type: "timeout" }
  /** A call brought a token after its time was over, and it was thrown away. */
  | { readonly type: "late-result" }
  /** The page's clock disagrees with the server's. */
  | { readonly type: "clock-suspect"; readonly offsetMs?: number | undefined }
  /** The expiry could not be used as it came. */
  | { readonly type: "expiry-invalid"; readonly detail: OddExpiry }
  | { readonly type: "rate-limited"; readonly retryAfterMs: number }
  /** The server refuses tokens as fast as the endpoint hands them out. */
  | { readonly type: "auth-loop"; readonly freshRejections: number }
  | { readonly type: "reset"; readonly reason?: string | undefined }
  | { readonly type: "disposed" };

/** A manager's state as one immutable value, the same one until something changes. */
export interface SessionTokenSnapshot {
  readonly state: SessionTokenState;
  readonly gen: number;
  /** Why the last acquisition failed, until one succeeds. */
  readonly lastError: TokenError | undefined;
  readonly lastErrorCode: TokenErrorCode | undefined;
}

/** Options of {@link SessionTokenManager.getToken}. */
export interface GetTokenOptions {
  /** Ends the caller's waiting with its own reason. Touches nobody else's. */
  readonly signal?: AbortSignal | undefined;
  /**
   * For how long the token must still be good, in milliseconds. A longer time than fresh tokens
   * live counts as "a fresh one". @default 0
   */
  readonly minValidityMs?: number;
}

/** Options of {@link SessionTokenManager.withToken}. */
export interface WithTokenOptions {
  /** Ends the caller's waiting. Touches nobody else's. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the request may be sent a second time; not so with a stream as its body. @default true */
  readonly replayable?: boolean;
}

/** What a request learns beside its token. */
export interface SendContext {
  /** 2 when the request is sent again with a fresh token. */
  readonly attempt: 1 | 2;
  /** The caller's own signal. */
  readonly signal?: AbortSignal | undefined;
  /** Where the session reply said that the API is. */
  readonly apiUrl: string | undefined;
}

/** Sends one request with a token. Builds it anew each time: the second one has another token. */
export type SendWithToken = (token: string, context: SendContext) => Promise<Response>;

/** Keeps one session token: lazy, cached, renewed early, fetched once for everybody. */
export interface SessionTokenManager {
  /**
   * The current token, fetched first if there is none. Concurrent callers share one fetch, and a
   * failed one leaves nothing behind that would fail the next.
   *
   * @throws {@link TokenError}, or the reason of the caller's own signal.
   */
  getToken(options?: GetTokenOptions): Promise<TokenLease>;
  /** The current token if it is usable now. Calls nothing. */
  peek(): TokenLease | undefined;
  /** Fetches a token ahead of need, if there is none. Failures go to the events alone. */
  prefetch(): void;
  /** Says that the server refused a token; `true` if it was the current one. */
  reportRejected(lease: TokenLease): boolean;
  /**
   * Sends a request with a token, and after a 401 once more with a fresh one. Never a third time.
   * A 401 for want of scope (RFC 6750 section 3.1) is returned as it is: no token would mend it.
   *
   * @throws {@link TokenError}; `token_rejected`, with the response, when the fresh token was
   *   refused as well. What `send` throws comes through.
   */
  withToken(send: SendWithToken, options?: WithTokenOptions): Promise<Response>;
  /** Puts another callback in place for the next call. Causes none. */
  setCallback(callback: GetSessionToken): void;
  /**
   * Forgets everything, because the person changed. Who waits is refused.
   *
   * @param reason For the `reset` event only.
   */
  reset(reason?: string): void;
  /** Ends the manager for good. */
  dispose(): void;
  [Symbol.dispose](): void;
  /** @returns A function that ends the subscription. */
  subscribe(listener: (event: TokenEvent) => void): () => void;
  getSnapshot(): SessionTokenSnapshot;
}

/** Timers that a test can drive. */
export interface Timers {
  set(callback: () => void, delayMs: number): unknown;
  clear(timer: unknown): void;
}

/** Options of `createSessionTokenManager`. */
export interface SessionTokenManagerOptions {
  /** How long before its end a token is renewed, in milliseconds; at most a quarter of its life. @default 30_000 */
  readonly refreshAheadMs?: number;
  /** How long before its end a token is no longer used, in milliseconds; at most a twentieth of its life. @default 5_000 */
  readonly hardMarginMs?: number;
  /** The longest a token is believed to live, in milliseconds. @default 3_600_000 */
  readonly maxLifetimeMs?: number;
  /** How long one call of the callback may take, in milliseconds, by either clock. @default 15_000 */
  readonly callbackTimeoutMs?: number;
  /** How long one caller waits for a token, in milliseconds. @default 30_000 */
  readonly acquireTimeoutMs?: number;
  /** For how long a failure is answered without asking again, in milliseconds. @default 1_000 */
  readonly failureHoldMs?: number;
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** At least 0 and below 1. @default Math.random */
  readonly random?: () => number;
  /**
   * Tells when the page is back: visible, shown again, online. Used only while a token is being
   * fetched; returns what ends it. @default the page's own events
   */
  readonly wakeUps?: (wake: () => void) => () => void;
}
