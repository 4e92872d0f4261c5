/** A piece of a message on the wire. Text is all that a user's message may hold. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** A user's message in UI message form, as the AI SDK's clients send it. */
export interface UserMessage {
  /** Chosen by the client. Sending the same id twice does not ask twice. */
  readonly id: string;
  readonly role: "user";
  readonly parts: readonly TextPart[];
}

/** A tool that runs in the page, as the page declares it to the model. */
export interface ClientToolDeclaration {
  /** 1 to 64 of `A-Z a-z 0-9 _ -`. May not be the name of a server tool. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments, an object. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** Whether the person in front of the page is asked first. */
  readonly needsApproval?: boolean;
}

/** What became of one pending client tool call. Exactly one of `output`, `errorText`, `denied`. */
export interface ToolOutput {
  readonly toolCallId: string;
  readonly output?: unknown;
  readonly errorText?: string;
  readonly denied?: boolean;
  /** Why it was denied, in words for the model. */
  readonly reason?: string;
}

/** The body of `POST .../chat/`: one run of the agent. camelCase, as its protocol is. */
export interface ChatRequest {
  /** The thread. Left out, the server begins one and says its id in `x-thread-id` and `start`. */
  readonly id?: string;
  readonly trigger?: "submit-message" | "regenerate-message";
  /** Only the last user message counts; a longer history is accepted and not believed. */
  readonly messages?: readonly UserMessage[];
  /** Answers to calls that the last run left pending; then `messages` may be empty. */
  readonly toolOutputs?: readonly ToolOutput[];
  readonly tools?: readonly ClientToolDeclaration[];
  readonly integrationId?: string;
  readonly model?: string;
  readonly customInstructions?: string;
  readonly sourceGroupIdsInclude?: readonly string[];
  /** Who the page says it is talking to. Shown as unverified. */
  readonly user?: Readonly<Record<string, unknown>>;
  /** BCP 47. */
  readonly locale?: string;
}

/** The longest question the server takes, in UTF-8 bytes. */
export const maxQuestionBytes = 32_768;

/** A place in the documentation that an answer rests on. Travels in `source-url` frames. */
export interface Source {
  /** `s<number>`: stable within a thread. */
  readonly sourceId: string;
  /** The number that stands in the text as `[n]`. Stable within a thread. */
  readonly number: number;
  /** Absolute, or relative to the API's base (`/sources/{id}#slug`). */
  readonly url: string;
  /** Title of the page. */
  readonly title: string;
  /** The headings from the page's top to the passage. */
  readonly headingPath: readonly string[];
  /** The passage, verbatim, as plain text. */
  readonly snippet: string;
}

/** A thread as lists show it. */
export interface ThreadSummary {
  readonly id: string;
  readonly title: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly message_count: number;
}

/** `GET .../threads/`. */
export interface ThreadList {
  readonly threads: readonly ThreadSummary[];
  readonly next_cursor: string | null;
}

/** A call as a stored thread tells it. */
export interface StoredToolCall {
  readonly type: "tool-call";
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: unknown;
  readonly state: "pending" | "completed" | "error" | "denied" | "stopped";
  readonly output?: unknown;
  readonly errorText?: string;
  readonly durationMs?: number;
}

/** What the person in front of the page thinks of an answer. */
export interface MessageFeedback {
  readonly rating: "up" | "down";
  /** In their own words, at most 4,000 characters. */
  readonly comment?: string;
}

/** The body of `POST .../threads/{id}/feedback/`. The last one of a message counts. */
export interface FeedbackRequest {
  readonly message_id: string;
  /** `null` takes back what was said before. */
  readonly rating: MessageFeedback["rating"] | null;
  readonly comment?: string | undefined;
}

/** A message as a stored thread tells it: its parts in the order in which they came. */
export interface StoredMessage {
  readonly id: string;
  readonly role: "user" | "assistant";
  readonly parts: readonly (TextPart | StoredToolCall)[];
  readonly sources?: readonly Source[];
  /** `sourceId`s of the sources that the text really cites. */
  readonly cited?: readonly string[];
  /** The run ended in this error. */
  readonly error?: { readonly code: string; readonly message: string };
  readonly feedback?: MessageFeedback;
  readonly created_at: string;
}

/** `GET .../threads/{id}/`. */
export interface StoredThread {
  readonly thread: ThreadSummary;
  readonly messages: readonly StoredMessage[];
  /** The run that is going on, to re-attach to. */
  readonly active_run_id: string | null;
}
