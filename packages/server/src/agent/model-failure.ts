import { RunFailure } from "./run-ending.ts";

/** The most of a provider's message that goes to the log. */
const maxLoggedLength = 500;

/**
 * Turns whatever a model threw into a failure that a client may see. Providers are told apart by
 * the shape of their errors, not by class, because each package brings its own copies.
 */
export function toModelFailure(error: unknown): RunFailure {
  if (error instanceof RunFailure) return error;
  const status = readField(error, "statusCode");
  const refused =
    typeof status === "number" &&
    status >= 400 &&
    status < 500 &&
    ![408, 409, 429].includes(status);
  if (refused) return new RunFailure("model_rejected", { cause: error });
  const retryAfterMs = readRetryAfterMs(readField(error, "responseHeaders"));
  return new RunFailure("model_unavailable", {
    retryable: true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause: error,
  });
}

/** What of a provider's error may stand in the log: no body, no headers, no credential. */
export interface LoggedModelError {
  readonly name: string;
  readonly message: string;
  readonly status?: number;
}

/** Describes an error for the log. Providers repeat credentials in messages; these are cut out. */
export function describeModelError(error: unknown): LoggedModelError {
  const status = readField(error, "statusCode");
  const name = readField(error, "name");
  return {
    name: typeof name === "string" ? name : "Error",
    message: redactCredentials(error instanceof Error ? error.message : String(error)).slice(
      0,
      maxLoggedLength,
    ),
    ...(typeof status === "number" ? { status } : {}),
  };
}

/** Replaces whatever looks like a credential: prefixed keys, bearer tokens, long runs of letters. */
function redactCredentials(text: string): string {
  return text
    .replace(/\b(?:bearer|basic)\s+\S+/gi, "[redacted]")
    .replace(/\b(?:sk|pk|rk|key|api[-_]?key|token|agk)[-_][\w*.-]{6,}/gi, "[redacted]")
    .replace(/[\w*-]{32,}/g, "[redacted]");
}

/** RFC 9110 section 10.2.3, and the `retry-after-ms` that some providers send beside it. */
function readRetryAfterMs(headers: unknown): number | undefined {
  const exact = Number(readField(headers, "retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return Math.ceil(exact);
  const seconds = Number(readField(headers, "retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.ceil(seconds * 1000) : undefined;
}

function readField(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
