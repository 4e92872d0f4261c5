import { parseProblem } from "@valet/protocol";
import { readRetryAfter } from "./session-endpoint.ts";

/** What an {@link AgentError} carries beside its code. */
export interface AgentErrorOptions {
  readonly status?: number;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
  readonly field?: string;
  readonly cause?: unknown;
}

/** A call of the API failed. */
export class AgentError extends Error {
  override readonly name: string = "AgentError";
  /** The server's code, or `network_error`, `stream_interrupted`, `invalid_reply`. Stable. */
  readonly code: string;
  readonly status: number | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** How long to wait before that, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Finds the request in the server's log. */
  readonly requestId: string | undefined;
  /** The field of the request that is wrong. */
  readonly field: string | undefined;

  constructor(
    code: string,
    message: string,
    { status, retryable = false, retryAfterMs, requestId, field, cause }: AgentErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
    this.requestId = requestId;
    this.field = field;
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

const retryableStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The error that an answer of the API stands for. Reads its body once. */
export async function readAgentError(answer: Response): Promise<AgentError> {
  const { status, headers } = answer;
  const body = await answer.json().catch(() => undefined);
  const problem = parseProblem(body);
  const retryAfterMs = readRetryAfter(headers);
  const requestId = problem?.request_id ?? headers.get("x-request-id") ?? undefined;
  return new AgentError(
    problem?.code ?? "invalid_reply",
    problem ? `${problem.title}. ${problem.detail}` : `The server answered with status ${status}.`,
    {
      status,
      retryable: retryableStatuses.has(status),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(requestId !== undefined && { requestId }),
      ...(problem?.field !== undefined && { field: problem.field }),
    },
  );
}
