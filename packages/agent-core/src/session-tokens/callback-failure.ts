import { isTokenError, TokenError } from "./token-error.ts";

/** How a failed call of `getSessionToken` is to be treated. */
export interface CallbackFailure {
  readonly error: TokenError;
  /** How many calls one acquisition may make, this one included. */
  readonly maxAttempts: number;
}

const retryableStatuses = [408, 425, 429];
const attemptsOfKnown = 3;
/** What is thrown without a status may be anything: the seed's own snippet does so. */
const attemptsOfUnknown = 2;

/**
 * Classifies what `getSessionToken` threw, which may be anything at all, or what was wrong with its
 * reply. Its own words stand in the `cause` alone: they may quote a token.
 */
export function classifyFailure(thrown: unknown, attempts: number): CallbackFailure {
  let status: number | undefined;
  let retryAfterMs: number | undefined;
  let permanent: unknown;
  let isNetwork = false;
  let cause: unknown = thrown;
  try {
    const fields = Object(thrown);
    const { name, message, code, why } = fields;
    if (isTokenError(thrown) && (code === "invalid_token" || code === "token_unchanged")) {
      return { error: new TokenError(code, message, { attempts, why }), maxAttempts: 1 };
    }
    status = Number(fields.status) || undefined;
    if (fields.retryAfterMs >= 0) retryAfterMs = Number(fields.retryAfterMs);
    permanent = fields.permanent;
    // A fetch that failed on the way, or was ended by somebody else than the manager.
    isNetwork = thrown instanceof TypeError || name === "AbortError" || name === "TimeoutError";
    // A parser quotes what it could not read: a token that came without JSON around it.
    if (thrown instanceof SyntaxError) cause = undefined;
  } catch {
    // Even looking at it throws: nothing is known, then.
  }
  const retryable =
    permanent !== true && (!status || status >= 500 || retryableStatuses.includes(status));
  const message =
    status === 401 || status === 403
      ? "Your session endpoint refused: nobody is signed in, or not allowed."
      : `getSessionToken failed${status ? ` with status ${status}` : ""}: see \`cause\`.`;
  const options = { retryable, attempts, cause, status, retryAfterMs };
  return {
    error: new TokenError("callback_failed", message, options),
    maxAttempts: !retryable ? 1 : status || isNetwork ? attemptsOfKnown : attemptsOfUnknown,
  };
}
