import type { Logger } from "pino";
import { randomBase62 } from "../base62.ts";
import { hideCredentials } from "./credentials.ts";

/** A new request's id: `req_` and 22 characters. */
export function newRequestId(): string {
  return `req_${randomBase62(22)}`;
}

/** The headers that no answer goes without. */
export function commonHeaders(isHttps: boolean): Readonly<Record<string, string>> {
  return {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    // A year, as RFC 6797 section 11.2 has it; for this host alone, whose neighbours are not ours.
    ...(isHttps && { "strict-transport-security": "max-age=31536000" }),
  };
}

/** A request as the log tells of it. */
export interface AnsweredRequest {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** When it came, by `performance.now()`. */
  readonly startedMs: number;
}

/** Creates what writes the line of each request that was answered. */
export function createRequestLog(log: Logger): (request: AnsweredRequest) => void {
  // Nothing that is logged of a request can hold a credential: there is nothing to take out.
  const requestLog = log.child({}, { redact: [] });
  return ({ requestId, method, path, status, startedMs }) => {
    const durationMs = Math.round(performance.now() - startedMs);
    // The path and not the URL: a query string may hold what must not be logged. So may a path,
    // when somebody asks for a session by its token in the place of its id.
    const shown = hideCredentials(path);
    requestLog.info({ requestId, method, path: shown, status, durationMs }, "request");
  };
}
