import type { TokenLease } from "./lease.ts";
import { TokenError } from "./token-error.ts";

/** One request that was sent: with which token, and what came back. */
export type Sending = readonly [lease: TokenLease, answer: Response];

/**
 * Sends a request, and after a 401 once more with another token. Never a third time.
 *
 * @throws {@link TokenError} `token_rejected` when the fresh token was refused as well.
 */
export async function sendTwice(
  attempt: (attempt: 1 | 2) => Promise<Sending>,
  reportRejected: (lease: TokenLease, error?: TokenError) => void,
  replayable: boolean,
): Promise<Response> {
  const [first, refusal] = await attempt(1);
  if (!isRefusal(refusal)) return refusal;
  reportRejected(first);
  if (!replayable) return refusal;
  // An answer that nobody reads keeps its connection.
  refusal.body?.cancel().catch(() => undefined);
  const [second, response] = await attempt(2);
  if (!isRefusal(response)) return response;
  const error = new TokenError(
    "token_rejected",
    "The server refused a fresh token: is your session endpoint of the same project and server?",
    { status: 401, response },
  );
  reportRejected(second, error);
  throw error;
}

/** A 401 for want of scope is no fault of the token (RFC 6750 section 3.1). */
function isRefusal({ status, headers }: Response): boolean {
  return status === 401 && !/insufficient_scope/.test(headers?.get("www-authenticate") ?? "");
}
