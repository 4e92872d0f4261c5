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

/** Classifies what `getSessionToken` threw, which may be anything at all. */
export function classifyFailure(thrown: unknown, attempts: number): CallbackFailure {
  let fields: Record<string, unknown> = {};
  let isNetwork = false;
  try {
    if (isTokenError(thrown)) return { error: thrown, maxAttempts: 1 };
    const { name, message, status, permanent, retryAfterMs } = Object(thrown);
    fields = { message, status, permanent, retryAfterMs };
    // A fetch that failed on the way, or was ended by somebody else than the manager.
    isNetwork = thrown instanceof TypeError || name === "AbortError" || name === "TimeoutError";
  } catch {
    // Even looking at it throws: nothing is known, then.
  }
  const said = typeof fields.message === "string" && fields.message;
  const status = typeof fields.status === "number" ? fields.status : undefined;
  const retryAfterMs =
    typeof fields.retryAfterMs === "number" && fields.retryAfterMs >= 0
      ? fields.retryAfterMs
      : undefined;
  const isUnknown = status === undefined && !isNetwork;
  const retryable =
    fields.permanent !== true &&
    (status === undefined || status >= 500 || retryableStatuses.includes(status));
  const message =
    status === 401 || status === 403
      ? "Your session endpoint refused: nobody is signed in, or not allowed to chat."
      : `getSessionToken failed${status ? ` with status ${status}` : ""}.${said ? ` It said: ${said}` : ""}`;
  const options = { retryable, attempts, cause: thrown, status, retryAfterMs };
  return {
    error: new TokenError("callback_failed", message, options),
    maxAttempts: retryable ? (isUnknown ? attemptsOfUnknown : attemptsOfKnown) : 1,
  };
}
