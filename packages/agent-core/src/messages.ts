/** Where a tool call is. */
export type ToolCallStatus =
  | "pending"
  | "approval_requested"
  | "executing"
  | "completed"
  | "error"
  | "denied"
  | "stopped";

/** A place in the documentation that was found, as a page shows it. */
export interface MessageSource {
  /** `s<number>`: stable within a thread. */
  readonly id: string;
  /** The number that stands in the text as `[n]`. */
  readonly number: number;
  readonly title: string;
  /** Absolute, or a page of the server itself, `/sources/{id}#slug`: see `Agent.sourceUrl`. */
  readonly sourceUrl: string;
  /** The headings from the page's top to the passage. */
  readonly headingPath: readonly string[];
  /** The passage, verbatim. */
  readonly snippet: string;
  /** Whether the text really cites it. Known when the answer has ended. */
  readonly cited: boolean;
  readonly sourceType: "documentation";
  readonly sourceVisibility: "public";
}

/** A tool call, as a page shows it. */
export interface ToolCallDisplay {
  /** Names the call for `approveToolCall` and `rejectToolCall`. */
  readonly id: string;
  readonly name: string;
  readonly displayName?: string;
  readonly status: ToolCallStatus;
  readonly arguments: unknown;
  readonly result?: unknown;
  /** Why it failed or was stopped. */
  readonly error?: string;
  readonly durationMs?: number;
  /** What a search found. */
  readonly sources?: readonly MessageSource[];
}

/** A piece of an answer; render them in order. */
export type ContentBlock =
  | { readonly type: "text"; readonly content: string }
  | { readonly type: "tool_calls"; readonly toolCalls: readonly ToolCallDisplay[] };

/** A message of the conversation. Immutable: a change makes a new object of this one alone. */
export interface ConversationMessage {
  readonly id: string;
  readonly role: "user" | "assistant";
  /** The whole text: a user's as typed, an answer's as Markdown, an error's in plain words. */
  readonly content: string;
  /** Of answers. */
  readonly blocks?: readonly ContentBlock[];
  /** Every source that was found for the answer. */
  readonly sources?: readonly MessageSource[];
  /** The answer is still being written. */
  readonly isStreaming?: boolean;
  /** The answer ended before it was whole: stopped, or failed on the way. Its markup may be open. */
  readonly isPartial?: boolean;
  /** The person stopped the answer. */
  readonly stopped?: boolean;
  /** What the person thinks of the answer; `null` when they have taken it back. */
  readonly feedback?: "up" | "down" | null;
  /** The answer failed; `content` says why. */
  readonly isError?: boolean;
  /** Stable code of the failure. */
  readonly errorCode?: string;
  /** Whether `Agent.retry` may help. */
  readonly retryable?: boolean;
  /** How long to wait before that, in milliseconds. */
  readonly retryAfterMs?: number;
}
