import { RunFailure } from "./run-ending.ts";

/** The most of a provider's message that goes to the log. */
const maxLoggedLength = 500;

/**
 * Turns whatever a model threw into a failure that a client may see. Providers are told apart by
 * the shape of their errors, not by class, because each package brings its own copies.
 *
 * @param nowMs The instant that a date to wait for is counted from. @default now
 */
export function toModelFailure(error: unknown, nowMs = Date.now()): RunFailure {
  if (error instanceof RunFailure) return error;
  const status = readField(error, "statusCode");
  const refused =
    typeof status === "number" &&
    status >= 400 &&
    status < 500 &&
    ![408, 409, 429].includes(status);
  if (refused) return new RunFailure("model_rejected", { cause: error });
  const retryAfterMs = readRetryAfterMs(readField(error, "responseHeaders"), nowMs);
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

/**
 * RFC 9110 section 10.2.3, seconds or a date, and the `retry-after-ms` that some providers send
 * beside it.
 */
function readRetryAfterMs(headers: unknown, nowMs: number): number | undefined {
  const exact = Number(readField(headers, "retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return Math.ceil(exact);
  const text = readField(headers, "retry-after");
  const seconds = Number(text ?? Number.NaN);
  if (Number.isFinite(seconds)) return seconds >= 0 ? Math.ceil(seconds * 1000) : undefined;
  const atMs = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isFinite(atMs) ? Math.max(0, atMs - nowMs) : undefined;
}

function readField(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
