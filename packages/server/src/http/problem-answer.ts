import { createProblem, type ErrorCode, errorCodes, type ProblemDetails } from "@valet/protocol";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppEnv } from "./app-env.ts";

/** What a {@link ProblemError} carries beyond its code. */
export interface ProblemErrorOptions extends ProblemDetails {
  /** Further answer headers, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is behind it; goes to the log, never to the client. */
  readonly cause?: unknown;
}

/** An error that the client is told, by the code of the table. Anything else is a 500. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ErrorCode;
  readonly details: ProblemDetails;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, { headers = {}, cause, ...details }: ProblemErrorOptions = {}) {
    // Where a refusal was thrown is told to nobody, and finding out costs more than the refusal.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(details.detail ?? errorCodes[code].title, { cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.details = details;
    this.headers = headers;
  }
}

/** Answers with the problem of a code, numbered with the request's id. */
export function answerProblem(c: Context<AppEnv>, error: ProblemError): Response {
  const problem = createProblem(error.code, { ...error.details, request_id: c.get("requestId") });
  const challenge = problem.status === 401 ? bearerChallenge(error.code) : undefined;
  if (challenge) c.header("www-authenticate", challenge);
  for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
  c.header("content-type", "application/problem+json");
  c.header("cache-control", "no-store");
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode);
}

/** RFC 6750 section 3.1: no `error` attribute when the request carried no credential at all. */
function bearerChallenge(code: ErrorCode): string | undefined {
  if (code === "missing_credential") return 'Bearer realm="valet"';
  if (code === "invalid_token" || code === "token_expired" || code === "token_revoked") {
    return 'Bearer realm="valet", error="invalid_token"';
  }
  return undefined;
}
