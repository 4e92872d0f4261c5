import type { AgentFailure } from "./failure.ts";
import type { ConversationMessage } from "./messages.ts";
import type { SessionTokenSnapshot } from "./session-tokens/types.ts";

/** What the agent is doing. */
export type AgentStatus =
  | "idle"
  | "connecting"
  | "searching"
  | "thinking"
  | "answering"
  | "tool"
  | "awaiting-approval"
  | "reconnecting";

/** Whether the page has a session. Looking at it causes no call. */
export type AuthState = "idle" | "connecting" | "ready" | "signed-out" | "failed";

/** A message that waits for its turn. */
export interface QueuedMessage {
  readonly id: string;
  readonly text: string;
}

/** Everything that a page shows, as one immutable value. */
export interface AgentSnapshot {
  /** Not to be changed: see {@link ConversationMessage}. */
  readonly messages: ConversationMessage[];
  /** From the sending of a message until its whole answer has ended, tools included. */
  readonly isStreaming: boolean;
  readonly queued: readonly QueuedMessage[];
  readonly threadId: string | undefined;
  readonly status: AgentStatus;
  readonly auth: AuthState;
  /** Why the last answer failed; undefined once another one begins. */
  readonly error: AgentFailure | undefined;
}

/** A conversation that has not begun, whatever the session is. */
export const emptyConversation: Omit<AgentSnapshot, "auth"> = {
  messages: [],
  isStreaming: false,
  queued: [],
  threadId: undefined,
  status: "idle",
  error: undefined,
};

/** What a page shows of the state of the session tokens. */
export function toAuthState({ state, lastError }: SessionTokenSnapshot): AuthState {
  if (state === "READY" || state === "REFRESHING") return "ready";
  if (state === "ACQUIRING") return "connecting";
  if (!lastError) return "idle";
  // The session endpoint's own 401. The API's says that its token is no good, not who is there.
  const isRefused = lastError.code === "callback_failed" && lastError.status === 401;
  return isRefused ? "signed-out" : "failed";
}
