import { kindOf, type SessionTokenResult } from "./session-reply.ts";
import { invalidToken } from "./token-text.ts";
import type { GetSessionToken } from "./types.ts";

/** Your session endpoint answered with something else than a session. */
export class SessionEndpointError extends Error {
  override readonly name = "SessionEndpointError";
  readonly status: number;
  /** How long the endpoint asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, retryAfterMs: number | undefined) {
    super(`The session endpoint answered with status ${status}.`);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * A ready-made `getSessionToken` for an endpoint of your own server. Better than writing one: it
 * is never cached, it can be stopped, and it tells the SDK why it failed, so that "nobody is
 * signed in" is not retried and "busy" is.
 *
 * @param url Usually `/api/session`.
 * @param init Goes to `fetch`; the method is POST unless it says otherwise.
 * @example
 * new Agent({ getSessionToken: sessionEndpoint("/api/session"), ... });
 */
export function sessionEndpoint(url: string, init: RequestInit = {}): GetSessionToken {
  return async ({ signal }) => {
    const answer = await fetch(url, { method: "POST", cache: "no-store", ...init, signal });
    if (!answer.ok) {
      await answer.body?.cancel().catch(() => undefined);
      throw new SessionEndpointError(answer.status, readRetryAfter(answer.headers));
    }
    return readReply(await answer.text(), answer.headers);
  };
}

/** The parser's own error would quote the text, and with it perhaps a token. */
function readReply(text: string, headers: Headers): SessionTokenResult {
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch {
    const type = headers.get("content-type") ?? "nothing";
    const message = `Your session endpoint answered with ${type}, not with JSON: is it the right address?`;
    throw invalidToken("not_json", message);
  }
  const serverTimeMs = Date.parse(headers.get("date") ?? "");
  if (kindOf(reply) !== "object" || Number.isNaN(serverTimeMs)) return reply as SessionTokenResult;
  // What the server's own clock says makes the page's clock harmless.
  return { server_time: serverTimeMs, ...(reply as SessionTokenResult) };
}

/**
 * The `Retry-After` of an answer in milliseconds: seconds or a date.
 *
 * @param nowMs By the server's clock. @default the answer's own `Date`, else the page's clock
 * @see RFC 9110 section 10.2.3
 */
export function readRetryAfter(
  headers: Headers,
  nowMs: number = Date.parse(headers.get("date") ?? "") || Date.now(),
): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
