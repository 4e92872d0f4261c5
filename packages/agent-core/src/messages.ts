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
  /** What it is called with: what the person made of it, once they have edited it. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What the model wrote, where the person has changed it. */
  readonly originalArguments?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  /** Why it failed or was stopped; while it waits, why the arguments were not taken. */
  readonly error?: string;
  readonly durationMs?: number;
  /** What a search found. */
  readonly sources?: MessageSource[];
  /** Who runs it: the server, or this page. */
  readonly side?: "server" | "page";
  /** While it waits for approval: whether `approveToolCall` takes other arguments. */
  readonly isEditable?: boolean;
  /** What the server calls the approval that it asks for. */
  readonly approvalId?: string;
}

/** A piece of an answer; render them in order. */
export type ContentBlock =
  | { readonly type: "text"; readonly content: string }
  | { readonly type: "tool_calls"; readonly toolCalls: ToolCallDisplay[] };

/**
 * A message of the conversation. Immutable, its lists too: a change makes a new object of this one
 * alone. The lists are typed as plain arrays so that they fit wherever one is asked for.
 */
export type ConversationMessage = QuestionMessage | AnswerMessage;

/** What a person has asked. */
export type QuestionMessage = {
  readonly id: string;
  readonly role: "user";
  /** As it was typed. */
  readonly content: string;
} & { readonly [Name in Exclude<keyof AnswerMessage, "id" | "role" | "content">]?: never };

/** An answer, or why there is none. */
export interface AnswerMessage {
  readonly id: string;
  readonly role: "assistant";
  /** The whole text, as Markdown; of an error, in plain words. */
  readonly content: string;
  /** Text and tool calls as they came. */
  readonly blocks: ContentBlock[];
  /** Every source that was found for the answer. */
  readonly sources?: MessageSource[];
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
