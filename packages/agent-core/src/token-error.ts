/** What went wrong while getting a session token. Stable; for programs to switch on. */
export type TokenErrorCode =
  | "callback_failed"
  | "callback_timeout"
  | "invalid_token"
  | "token_unchanged"
  | "token_rejected"
  | "acquire_timeout"
  | "rate_limited"
  | "session_reset"
  | "disposed";

/** What a {@link TokenError} carries beside its code. */
export interface TokenErrorOptions {
  /** Whether asking again later may help. @default false */
  readonly retryable?: boolean;
  /** How long to wait before asking again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** How often the callback was called before giving up. @default 0 */
  readonly attempts?: number;
  /** HTTP status of the session endpoint, when it is known. */
  readonly status?: number;
  readonly cause?: unknown;
}

/** No session token could be had. Never contains a token. */
export class TokenError extends Error {
  override readonly name = "TokenError";
  readonly code: TokenErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly attempts: number;
  readonly status: number | undefined;
  /** Marks the class across copies of this package. */
  readonly valetTokenError: true = true;

  constructor(
    code: TokenErrorCode,
    message: string,
    { retryable = false, retryAfterMs, attempts = 0, status, cause }: TokenErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
    this.attempts = attempts;
    this.status = status;
  }
}

/**
 * Whether a value is a {@link TokenError}. Goes by the brand and not by `instanceof`: two copies
 * of this package in one page are common.
 */
export function isTokenError(value: unknown): value is TokenError {
  return typeof value === "object" && value !== null && "valetTokenError" in value;
}

/**
 * Throw this from `getSessionToken` when asking again cannot help, because the person is signed
 * out: the SDK then does not try again by itself.
 */
export class StopRefreshing extends Error {
  override readonly name = "StopRefreshing";
  readonly permanent = true;
  /** Taken for a 401 of the session endpoint. */
  readonly status = 401;

  constructor(message = "The session endpoint says that nobody is signed in.") {
    super(message);
  }
}
