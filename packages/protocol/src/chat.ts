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
  /**
   * Whether the person in front of the page is asked first, whatever the arguments. The server then
   * takes an output only with an approval. A tool that decides by its arguments leaves this out:
   * the server cannot know what the page's own rule says.
   */
  readonly needsApproval?: boolean;
}

/**
 * What a person decided about a call that asks for it. Counts once, for a call of this thread that
 * is on the server's record; what is run is what stands there.
 */
export interface ApprovalDecision {
  /** Of the `tool-approval-request` frame, or of the stored call. */
  readonly approvalId: string;
  readonly approved: boolean;
  /**
   * The arguments in place of the model's, whole. Only with `approved`, and only for a call that
   * says `isEditable`.
   */
  readonly editedInput?: unknown;
  /** Why it was refused, in words for the model. At most 2,048 characters. */
  readonly reason?: string;
}

/**
 * What became of one pending client tool call. Exactly one of `output`, `errorText`, `denied`. The
 * output of a call that needs approval comes with its {@link ApprovalDecision}, or after it.
 */
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
  /**
   * With `submit-message`, the question that the new one takes the place of, with everything behind
   * it. With `regenerate-message`, the answer that is meant; it must be the last.
   */
  readonly messageId?: string;
  /** Only the last user message counts; a longer history is accepted and not believed. */
  readonly messages?: readonly UserMessage[];
  /** Answers to calls that the last run left pending; then `messages` may be empty. */
  readonly toolOutputs?: readonly ToolOutput[];
  /** Decisions about calls that ask for one, alone or beside `toolOutputs`. */
  readonly approvals?: readonly ApprovalDecision[];
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

/**
 * Where a call stands. Open: `pending` (the page owes an output), `approval_requested` (a person has
 * not decided), `approved` (decided, not begun: the page owes an output, or the server begins when
 * the same decision is sent again), `running` (on the server). The others are its ends.
 */
export type ToolCallState =
  | "pending"
  | "approval_requested"
  | "approved"
  | "running"
  | "completed"
  | "error"
  | "denied"
  | "stopped";

/** A call as a stored thread tells it: all that another tab needs to go on with it. */
export interface StoredToolCall {
  readonly type: "tool-call";
  readonly toolCallId: string;
  readonly toolName: string;
  /** What the tool is called with: what a person made of it, once they have edited it. */
  readonly input: unknown;
  /** What the model wrote, where a person edited it. */
  readonly originalInput?: unknown;
  readonly state: ToolCallState;
  /** Who runs it. */
  readonly side: "server" | "page";
  /** Whether a person has to approve it, or had to. Left out: no. */
  readonly needsApproval?: boolean;
  /** What a decision about it names. With `needsApproval`. */
  readonly approvalId?: string;
  /** Whether a decision may bring `editedInput`. Left out: no. */
  readonly isEditable?: boolean;
  /** When a person decided. RFC 3339. */
  readonly decidedAt?: string;
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
