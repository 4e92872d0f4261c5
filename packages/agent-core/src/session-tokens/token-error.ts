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
  readonly retryable?: boolean | undefined;
  /** How long to wait before asking again, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** How often the callback was called before giving up. @default 0 */
  readonly attempts?: number | undefined;
  /** HTTP status of the session endpoint, or 401 of the API with `token_rejected`. */
  readonly status?: number | undefined;
  /** With `invalid_token`: what is wrong with it. Stable. */
  readonly why?: string | undefined;
  /** With `token_rejected`: the second 401, unread. */
  readonly response?: Response | undefined;
  readonly cause?: unknown;
}

/** Marks the class across copies of this package. */
const brand = Symbol.for("valet.TokenError");

/** No session token could be had. Never contains a token. */
export class TokenError extends Error {
  override readonly name = "TokenError";
  declare readonly code: TokenErrorCode;
  declare readonly retryable: boolean;
  declare readonly retryAfterMs: number | undefined;
  declare readonly attempts: number;
  declare readonly status: number | undefined;
  declare readonly why: string | undefined;
  declare readonly response: Response | undefined;

  constructor(code: TokenErrorCode, message: string, options: TokenErrorOptions = {}) {
    super(message, options);
    Object.assign(this, { code, retryable: false, attempts: 0 }, options);
    Object.defineProperty(this, brand, { value: true });
  }

  /** What to do about it: the message. */
  get hint(): string {
    return this.message;
  }
}

/**
 * Whether a value is a {@link TokenError}. Goes by the brand and not by `instanceof`: two copies
 * of this package in one page are common.
 */
export function isTokenError(value: unknown): value is TokenError {
  return typeof value === "object" && value !== null && brand in value;
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
