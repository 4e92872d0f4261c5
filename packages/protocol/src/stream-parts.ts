import type { ErrorCode } from "./error-codes.ts";

/** Why a run ended. */
export type FinishReason = "stop" | "length" | "content-filter" | "tool-calls" | "error" | "other";

/**
 * One frame of the UI Message Stream, version 1, in the profile that Valet emits: every client of
 * the AI SDK 6 and 7 understands each of them, and one of the AI SDK 5 all but the two of approvals,
 * which come only where a tool asks for one. Adding a kind that is not in that protocol breaks
 * foreign clients; what is our own travels as `data-*`.
 */
export type StreamPart =
  | {
      readonly type: "start";
      readonly messageId: string;
      readonly messageMetadata: { readonly threadId: string; readonly runId: string };
    }
  | { readonly type: "start-step" }
  | { readonly type: "finish-step" }
  | { readonly type: "text-start"; readonly id: string }
  | { readonly type: "text-delta"; readonly id: string; readonly delta: string }
  | { readonly type: "text-end"; readonly id: string }
  | { readonly type: "reasoning-start"; readonly id: string }
  | { readonly type: "reasoning-delta"; readonly id: string; readonly delta: string }
  | { readonly type: "reasoning-end"; readonly id: string }
  | {
      readonly type: "tool-input-start";
      readonly toolCallId: string;
      readonly toolName: string;
      readonly dynamic?: boolean;
    }
  | {
      readonly type: "tool-input-delta";
      readonly toolCallId: string;
      readonly inputTextDelta: string;
    }
  | {
      readonly type: "tool-input-available";
      readonly toolCallId: string;
      readonly toolName: string;
      readonly input: unknown;
      readonly dynamic?: boolean;
      readonly title?: string;
    }
  | {
      readonly type: "tool-input-error";
      readonly toolCallId: string;
      readonly toolName: string;
      readonly input: unknown;
      readonly errorText: string;
      readonly dynamic?: boolean;
    }
  | {
      readonly type: "tool-output-available";
      readonly toolCallId: string;
      readonly output: unknown;
      readonly dynamic?: boolean;
    }
  | {
      readonly type: "tool-output-error";
      readonly toolCallId: string;
      readonly errorText: string;
      readonly dynamic?: boolean;
    }
  | {
      /** A call waits for a person. Comes after its `tool-input-available`. */
      readonly type: "tool-approval-request";
      readonly approvalId: string;
      readonly toolCallId: string;
      /** Whether the decision may bring other arguments. Left out: no. */
      readonly isEditable?: boolean;
    }
  | { readonly type: "tool-output-denied"; readonly toolCallId: string }
  | {
      readonly type: "source-url";
      readonly sourceId: string;
      readonly url: string;
      readonly title: string;
      readonly providerMetadata: {
        readonly valet: {
          readonly number: number;
          readonly headingPath: readonly string[];
          readonly snippet: string;
          readonly toolCallId: string;
        };
      };
    }
  | {
      readonly type: "message-metadata";
      readonly messageMetadata: {
        /** `sourceId`s that the text really cites. */
        readonly cited?: readonly string[];
        readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
      };
    }
  | {
      readonly type: "data-error";
      readonly transient: true;
      readonly data: {
        readonly code: ErrorCode;
        readonly retryable: boolean;
        readonly retryAfterMs?: number;
        readonly requestId: string;
      };
    }
  | { readonly type: "error"; readonly errorText: string }
  | { readonly type: "abort" }
  | { readonly type: "finish"; readonly finishReason: FinishReason };

/** Whether a frame ends its run. A body that ends without one was cut. */
export function isTerminal(part: StreamPart): boolean {
  return part.type === "finish" || part.type === "abort";
}
