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

/** Something happened that a page may want to count. Never holds text of the conversation. */
export type AgentEvent =
  | { readonly type: "message_sent"; readonly data: { readonly threadId: string | undefined } }
  | {
      readonly type: "response_completed";
      readonly data: { readonly threadId: string | undefined; readonly toolCallCount: number };
    }
  | {
      readonly type: "response_error";
      readonly data: {
        readonly threadId: string | undefined;
        readonly error: string;
        readonly code: string;
      };
    }
  | {
      readonly type: "generation_stopped";
      readonly data: { readonly threadId: string | undefined };
    }
  | {
      readonly type: "tool_executed";
      readonly data: {
        readonly toolName: string;
        readonly status: "completed" | "error";
        readonly durationMs: number;
      };
    }
  | { readonly type: "tool_approved" | "tool_denied"; readonly data: { readonly toolName: string } }
  | {
      readonly type: "conversation_reset";
      readonly data: { readonly threadId: string | undefined };
    }
  | {
      readonly type: "thread_resumed" | "thread_deleted";
      readonly data: { readonly threadId: string };
    }
  | {
      readonly type: "feedback_submitted";
      readonly data: {
        readonly threadId: string;
        readonly messageId: string;
        readonly rating: "up" | "down" | null;
      };
    }
  | { readonly type: "panel_opened" | "panel_closed"; readonly data: Record<string, never> };

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
  readonly onMessagesChange?: (messages: readonly ConversationMessage[]) => void;
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
