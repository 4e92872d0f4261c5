import type { ConversationMessage } from "./messages.ts";
import type { SessionTokenResult } from "./session-tokens/session-reply.ts";
import type { GetSessionToken, SessionTokenManagerOptions } from "./session-tokens/types.ts";
import type { AnyTool } from "./tools.ts";

/** Who the page says is asking. For statistics; nothing is allowed or refused by it. */
export interface EndUserInfo {
  readonly email?: string;
  readonly name?: string;
  readonly unique_client_id?: string;
}

/** How a tool of the server is shown. */
export interface ToolDisplayMeta {
  readonly displayName?: string;
}

/** Where something happened, as far as it is known. */
export interface EventPlace {
  readonly threadId?: string | undefined;
  readonly runId?: string | undefined;
  readonly messageId?: string | undefined;
}

/** A call of a tool. */
interface CallEvent {
  readonly toolName: string;
  readonly toolCallId: string;
}

/** What each event tells beside its place. Durations are in milliseconds. */
interface EventData {
  readonly message_sent: unknown;
  /** `durationMs` from the sending of the message, tools and people included. */
  readonly response_completed: { readonly toolCallCount: number; readonly durationMs: number };
  readonly response_error: {
    /** What exactly happened, for developers. */
    readonly error: string;
    readonly code: string;
    readonly durationMs: number;
  };
  readonly generation_stopped: { readonly durationMs: number };
  readonly tool_executed: CallEvent & {
    readonly status: "completed" | "error";
    readonly durationMs: number;
  };
  /** `durationMs` is how long the person took. */
  readonly tool_approved: CallEvent & { readonly durationMs: number };
  readonly tool_denied: CallEvent & { readonly durationMs: number };
  /** The person has changed the arguments before approving. */
  readonly tool_arguments_edited: CallEvent;
  readonly conversation_reset: unknown;
  readonly thread_resumed: { readonly threadId: string };
  readonly thread_deleted: { readonly threadId: string };
  /** A connection that was lost is back; `durationMs` is how long it was away. */
  readonly stream_reconnected: { readonly durationMs: number };
  readonly feedback_submitted: {
    readonly threadId: string;
    readonly messageId: string;
    readonly rating: "up" | "down" | null;
  };
  readonly source_opened: { readonly sourceId: string };
  /** An example prompt was clicked. */
  readonly suggestion_clicked: unknown;
  readonly panel_opened: unknown;
  readonly panel_closed: unknown;
}

/** Something happened that a page may want to count. Never holds text of the conversation. */
export type AgentEvent = {
  readonly [Type in keyof EventData]: {
    readonly type: Type;
    readonly data: EventPlace & EventData[Type];
  };
}[keyof EventData];

/** Told of every {@link AgentEvent}. */
export type OnAgentEvent = (event: AgentEvent) => void;

/** Options of {@link Agent}. */
export interface AgentOptions<Context = unknown> {
  readonly projectId: string;
  readonly integrationId: string;
  /** Asks your own server for a session token. Not called before the first message. */
  readonly getSessionToken:
    | GetSessionToken
    | (() => SessionTokenResult | PromiseLike<SessionTokenResult>);
  /** A model of the server, by its public name. @default the server's own choice */
  readonly model?: string;
  /** Tools that run in the page. @default none */
  readonly tools?: readonly AnyTool<Context>[];
  /** Handed to every tool. @default {} */
  readonly context?: Context;
  /** Added to the system prompt, below what the integration says. People can read it. */
  readonly customInstructions?: string;
  readonly user?: EndUserInfo;
  /** How the server's own tools are shown, by name. */
  readonly builtinToolMeta?: Readonly<Record<string, ToolDisplayMeta>>;
  /** Restricts what is searched. @default everything */
  readonly sourceGroupIdsInclude?: readonly string[];
  /** Whether past conversations can be listed and resumed. Needs an owner. @default false */
  readonly enableHistory?: boolean;
  readonly onMessagesChange?: (messages: ConversationMessage[]) => void;
  readonly onStreamingChange?: (isStreaming: boolean) => void;
  readonly onEvent?: OnAgentEvent;
  /** The server's address. @default what the session reply says, else the page's own origin */
  readonly baseUrl?: string;
  /** Sends the requests. @default globalThis.fetch */
  readonly fetch?: typeof fetch;
  /** Language of the page, BCP 47. */
  readonly locale?: string;
  /**
   * Whether pages of this origin that show the same conversation show it live in all of them. They
   * tell each other ids over a `BroadcastChannel`, never a token or a word. @default true
   */
  readonly shareTabs?: boolean;
  /** Settings of the session-token manager. */
  readonly sessionTokens?: SessionTokenManagerOptions;
}
