import { type ErrorCode, errorCodes, isErrorCode } from "./error-codes.ts";

/**
 * The body of every error answer, `application/problem+json`.
 *
 * @see RFC 9457
 */
export interface Problem {
  /** Identifies the kind of problem: a registered type where there is one, else `urn:valet:error:<code>`. */
  readonly type: string;
  /** What happened, for people. */
  readonly title: string;
  /** The HTTP status, repeated. */
  readonly status: number;
  /** What happened, for programs. Stable. */
  readonly code: ErrorCode;
  /** What to do about it. */
  readonly detail: string;
  /** Finds the request in the server's log. Absent where no server has numbered the request. */
  readonly request_id?: string;
  /** The field of the request that is wrong, as `a.b[0]`. */
  readonly field?: string;
  /** The names that would have been accepted. */
  readonly allowed?: readonly string[];
  /** The most bytes that this address takes. */
  readonly limit_bytes?: number;
  /** What OAuth calls it, where OAuth clients ask (RFC 6749 section 5.2). */
  readonly error?: string;
  /** The limits that refused the request, as `RateLimit-Policy` names them. */
  readonly "violated-policies"?: readonly string[];
}

/** What {@link createProblem} may say beyond the table: where, and in which words. */
export interface ProblemDetails {
  readonly detail?: string;
  readonly request_id?: string;
  readonly field?: string;
  readonly allowed?: readonly string[];
  readonly limit_bytes?: number;
  readonly error?: string;
  readonly "violated-policies"?: readonly string[];
}

/** Builds the problem of a code from the table, with `details` over its defaults. */
export function createProblem(code: ErrorCode, details: ProblemDetails = {}): Problem {
  const { status, title, detail } = errorCodes[code];
  return { type: typeOf(code), title, status, code, detail, ...details };
}

/** Reads a problem out of parsed JSON; `undefined` for anything that is not one of ours. */
export function parseProblem(body: unknown): Problem | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { code, title, detail, status } = body as Record<string, unknown>;
  if (!isErrorCode(code) || typeof status !== "number") return undefined;
  const entry = errorCodes[code];
  return {
    ...(body as object),
    type: typeOf(code),
    title: typeof title === "string" ? title : entry.title,
    status,
    code,
    detail: typeof detail === "string" ? detail : entry.detail,
  };
}

function typeOf(code: ErrorCode): string {
  return errorCodes[code].type ?? `urn:valet:error:${code}`;
}
