import { isTokenError, TokenError } from "./token-error.ts";

/** How a failed call of `getSessionToken` is to be treated. */
export interface CallbackFailure {
  readonly error: TokenError;
  /** How many calls one acquisition may make, this one included. */
  readonly maxAttempts: number;
  /** How long the endpoint asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

const retryableStatuses = new Set([408, 425, 429]);
const attemptsOfKnown = 3;
/** What is thrown without a status may be anything: the seed's own snippet does so. */
const attemptsOfUnknown = 2;

/** Classifies what `getSessionToken` threw. */
export function classifyFailure(thrown: unknown, attempts: number): CallbackFailure {
  if (isTokenError(thrown)) return { error: thrown, maxAttempts: 1, retryAfterMs: undefined };
  const { status, permanent, retryAfterMs } = readFields(thrown);
  const isNetwork = thrown instanceof TypeError;
  const known = isNetwork || status !== undefined;
  const retryable =
    !permanent &&
    (isNetwork || status === undefined || status >= 500 || retryableStatuses.has(status));
  const error = new TokenError("callback_failed", messageOf(thrown, status), {
    retryable,
    attempts,
    cause: thrown,
    ...(status !== undefined && { status }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
  const maxAttempts = retryable ? (known ? attemptsOfKnown : attemptsOfUnknown) : 1;
  return { error, maxAttempts, retryAfterMs };
}

function messageOf(thrown: unknown, status: number | undefined): string {
  if (status === 401 || status === 403) {
    return "Your session endpoint refused: nobody is signed in, or not allowed to chat.";
  }
  const said =
    thrown instanceof Error && thrown.message !== "" ? ` It said: ${thrown.message}` : "";
  return `getSessionToken failed${status === undefined ? "" : ` with status ${status}`}.${said}`;
}

function readFields(thrown: unknown): {
  status: number | undefined;
  permanent: boolean;
  retryAfterMs: number | undefined;
} {
  const fields = typeof thrown === "object" && thrown !== null ? thrown : {};
  const { status, permanent, retryAfterMs } = fields as Record<string, unknown>;
  return {
    status: typeof status === "number" ? status : undefined,
    permanent: permanent === true,
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : undefined,
  };
}
