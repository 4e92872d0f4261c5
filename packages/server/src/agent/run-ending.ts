import {
  type ErrorCode,
  errorCodes,
  type FinishReason,
  isErrorCode,
  type StreamPart,
} from "@valet/protocol";
import { isDatabaseUnavailable } from "../database/database-unavailable.ts";
import type { CutReason } from "../sessions/open-streams.ts";
import type { SessionPrincipal } from "../sessions/principal.ts";

/** What a {@link RunFailure} carries beyond its code. */
export interface RunFailureOptions {
  /** Whether the same request may well succeed later. @default false */
  readonly retryable?: boolean;
  /** How long to wait before that, in milliseconds. */
  readonly retryAfterMs?: number;
  /** What is behind it; goes to the log, never to the client. */
  readonly cause?: unknown;
}

/** A run that cannot go on. Clients learn the code and its words from the table, nothing else. */
export class RunFailure extends Error {
  override readonly name = "RunFailure";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, { retryable = false, retryAfterMs, cause }: RunFailureOptions = {}) {
    super(errorCodes[code].title, { cause });
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * What whoever reads a stream is told when it is cut from outside. Behind a session stands somebody
 * who can get another one; a key that asks for itself is told what became of it.
 */
export function cutFailure({ direct }: SessionPrincipal, reason: CutReason): RunFailure {
  if (direct) return new RunFailure(reason);
  return new RunFailure("token_revoked", { retryable: true });
}

/** A run that a person stopped. */
export class RunStopped extends Error {
  override readonly name = "RunStopped";
}

/** Why a run ended. */
export type RunEnding =
  | { readonly kind: "finished"; readonly finishReason: FinishReason }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly failure: RunFailure };

/** Reads an ending out of what was thrown; what nobody foresaw is an `internal_error`. */
export function endingOf(thrown: unknown): RunEnding {
  if (thrown instanceof RunStopped) return { kind: "stopped" };
  if (thrown instanceof RunFailure) return { kind: "failed", failure: thrown };
  if (isDatabaseUnavailable(thrown)) {
    const failure = new RunFailure("unavailable", {
      retryable: true,
      retryAfterMs: 2_000,
      cause: thrown,
    });
    return { kind: "failed", failure };
  }
  const failure = new RunFailure("internal_error", { retryable: true, cause: thrown });
  return { kind: "failed", failure };
}

/** A failure as it is recorded, by its code alone; undefined for an end that was none. */
export function recordedFailure(ending: string | null): RunFailure | undefined {
  if (ending === null || !isErrorCode(ending)) return undefined;
  return new RunFailure(ending, { retryable: mayPass.has(ending) });
}

/** Failures after which the same request may well succeed. */
const mayPass: ReadonlySet<ErrorCode> = new Set([
  "run_interrupted",
  "model_unavailable",
  "internal_error",
  "unavailable",
  "token_revoked",
]);

/** The frames that end a stream: the last of them, and only it, is terminal. */
export function endingFrames(ending: RunEnding, requestId: string): StreamPart[] {
  switch (ending.kind) {
    case "finished":
      return [{ type: "finish", finishReason: ending.finishReason }];
    case "stopped":
      return [{ type: "abort" }];
    case "failed": {
      const { code, retryable, retryAfterMs } = ending.failure;
      const data = {
        code,
        retryable,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        requestId,
      };
      return [
        { type: "data-error", transient: true, data },
        { type: "error", errorText: errorCodes[code].title },
        { type: "finish", finishReason: "error" },
      ];
    }
  }
}
