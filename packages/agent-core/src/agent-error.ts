import { readRetryAfter } from "./session-tokens/session-endpoint.ts";

/** What an {@link AgentError} carries beside its code. */
export interface AgentErrorOptions {
  readonly status?: number | undefined;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | undefined;
  readonly field?: string | undefined;
  readonly cause?: unknown;
}

/** A call of the API failed. */
export class AgentError extends Error {
  override readonly name: string = "AgentError";
  /** The server's code, or `network_error`, `stream_interrupted`, `invalid_reply`. Stable. */
  declare readonly code: string;
  declare readonly status: number | undefined;
  /** Whether the same call may succeed later. */
  declare readonly retryable: boolean;
  /** How long to wait before that, in milliseconds. */
  declare readonly retryAfterMs: number | undefined;
  /** Finds the request in the server's log. */
  declare readonly requestId: string | undefined;
  /** The field of the request that is wrong. */
  declare readonly field: string | undefined;

  constructor(code: string, message: string, options: AgentErrorOptions = {}) {
    super(message, options);
    Object.assign(this, { code, retryable: false }, options);
  }
}

/** A history method was called, and `enableHistory` is off. */
export class HistoryDisabledError extends AgentError {
  override readonly name = "HistoryDisabledError";
  constructor() {
    super("history_disabled", "Set `enableHistory` to use the history of conversations.");
  }
}

/** The session has no owner, so nothing is listed: your server must send `external_owner_id`. */
export class SessionWithoutOwnerError extends AgentError {
  override readonly name = "SessionWithoutOwnerError";
  constructor() {
    const message = "The session has no owner. Send `external_owner_id` when you create it.";
    super("history_needs_owner", message, { status: 409 });
  }
}

/** The thread does not exist, or is somebody else's. */
export class ThreadNotFoundError extends AgentError {
  override readonly name = "ThreadNotFoundError";
  constructor() {
    super("not_found", "The conversation does not exist.", { status: 404 });
  }
}

const retryableStatuses = [408, 425, 429, 500, 502, 503, 504];

/**
 * The error that an answer of the API stands for. Reads its body once. A code that this SDK does
 * not know yet is passed on: the server may be the newer one.
 *
 * @see RFC 9457
 */
export async function readAgentError(answer: Response): Promise<AgentError> {
  const { status, headers } = answer;
  const body: unknown = await answer.json().catch(() => undefined);
  const { code, title, detail, request_id, field } = Object(body) as Record<string, unknown>;
  const isProblem = typeof code === "string" && /^[a-z0-9_]{1,64}$/.test(code);
  const said = [title, detail].filter((text) => typeof text === "string").join(". ");
  const requestId = request_id ?? headers.get("x-request-id");
  return new AgentError(
    isProblem ? code : "invalid_reply",
    (isProblem && said) || `The server answered with status ${status}.`,
    {
      status,
      retryable: retryableStatuses.includes(status),
      retryAfterMs: readRetryAfter(headers),
      requestId: typeof requestId === "string" ? requestId : undefined,
      field: typeof field === "string" ? field : undefined,
    },
  );
}
