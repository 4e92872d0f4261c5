import { AgentError } from "./agent-error.ts";
import { isTokenError } from "./session-tokens/token-error.ts";

/** Why the last answer failed, for a page to show. */
export interface AgentFailure {
  /** Stable: a code of the server, of {@link AgentError} or of {@link TokenError}. */
  readonly code: string;
  /** For the person in front of the page. */
  readonly message: string;
  /** For the developer: what exactly happened. Never holds a secret. */
  readonly detail: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
}

const messages: Readonly<Record<string, string>> = {
  signed_out: "Sign in to use the assistant.",
  not_allowed: "You may not use the assistant.",
  callback_failed: "Your session could not be started. Check your connection and try again.",
  callback_timeout: "Your session could not be started: the page's server did not answer in time.",
  acquire_timeout: "Your session could not be started: the page's server did not answer in time.",
  invalid_token:
    "Your session could not be started. The page's server gave an answer that is not a session.",
  token_unchanged: "Your session could not be renewed. Reload the page and try again.",
  token_rejected: "Your session was refused. Reload the page and try again.",
  rate_limited: "There are too many requests right now. Wait a moment and try again.",
  quota_exceeded: "There are too many requests right now. Wait a moment and try again.",
  abnormal_usage: "There are too many requests right now. Wait a moment and try again.",
  budget_exhausted: "You have used up what this conversation may ask for.",
  network_error: "The assistant could not be reached. Check your connection and try again.",
  stream_interrupted: "The connection was lost before the answer had ended.",
  origin_not_allowed: "The assistant is not available on this page.",
  run_in_progress: "An earlier answer is still being written. Try again when it has ended.",
  model_unavailable: "The assistant is busy. Try again in a moment.",
  run_interrupted: "The answer was interrupted. Try again.",
};
/** What the session endpoint says of the person, by its status. */
const refusals: Readonly<Record<number, string>> = { 401: "signed_out", 403: "not_allowed" };
const unknown = "Something went wrong. Try again.";

/** Puts what was thrown into words. */
export function toFailure(thrown: unknown): AgentFailure {
  const isToken = isTokenError(thrown);
  if (isToken || thrown instanceof AgentError) {
    const { message: detail, status, retryAfterMs } = thrown;
    const isRefusal = isToken && thrown.code === "callback_failed";
    const code = (isRefusal && refusals[status ?? 0]) || thrown.code;
    return {
      code,
      message: messages[code] ?? unknown,
      detail,
      // A person may sign in, or the server come back: trying again by hand is always allowed.
      retryable: isToken ? code !== "disposed" : thrown.retryable,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  }
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "internal_error", message: unknown, detail, retryable: true };
}
