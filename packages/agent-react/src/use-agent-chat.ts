"use client";
import type {
  AgentFailure,
  AgentStatus,
  AuthState,
  ConversationMessage,
  ListedThread,
  QueuedMessage,
} from "@valet/agent-core";
import { useCallback, useContext, useMemo, useSyncExternalStore } from "react";
import { InputContext, useAgentContext } from "./agent-context.ts";

/** What {@link useAgentChat} gives. */
export interface AgentChatState {
  /** Not to be changed: see {@link ConversationMessage}. */
  readonly messages: ConversationMessage[];
  /** From the sending of a message until its whole answer has ended, tools included. */
  readonly isStreaming: boolean;
  readonly inputValue: string;
  readonly setInputValue: (value: string) => void;
  /** Sends a text, or what stands in the input, which it then empties. */
  readonly sendMessage: (text?: string) => Promise<void>;
  readonly resetConversation: () => void;
  readonly stopGeneration: () => void;
  /** Lets a call run; with `editedInput` in the place of its arguments, where it `isEditable`. */
  readonly approveToolCall: (
    id: string,
    options?: { readonly editedInput?: unknown },
  ) => Promise<void>;
  /** Refuses a call; the reason is for the model. */
  readonly rejectToolCall: (id: string, reason?: string) => void;
  readonly threadId: string | undefined;
  readonly historyDisabled: boolean;
  readonly listThreads: (options?: {
    cursor?: string;
    limit?: number;
  }) => Promise<{ threads: readonly ListedThread[]; nextCursor: string | undefined }>;
  readonly resumeThread: (threadId: string) => Promise<void>;
  /** Takes up a conversation whose id the page has kept. Needs no history. */
  readonly attachThread: (threadId: string) => Promise<void>;
  readonly deleteThread: (threadId: string) => Promise<void>;
  /** Messages that wait for the present answer to end. */
  readonly queued: readonly QueuedMessage[];
  readonly cancelQueuedMessage: (id: string) => void;
  readonly status: AgentStatus;
  readonly auth: AuthState;
  readonly error: AgentFailure | undefined;
  /** Tries again what failed last. */
  readonly retry: () => Promise<void>;
  /** Has the last answer written anew, in its place. */
  readonly regenerate: () => Promise<void>;
  /** Puts another question in the place of one; everything behind it goes. */
  readonly editMessage: (messageId: string, text: string) => Promise<void>;
  /** Tells the server what the person thinks of an answer; `null` takes it back. */
  readonly sendFeedback: (
    messageId: string,
    rating: "up" | "down" | null,
    comment?: string,
  ) => Promise<void>;
}

/** The conversation of the provider above: what it is, and what can be done with it. */
export function useAgentChat(): AgentChatState {
  const { agent, enableHistory } = useAgentContext();
  const { inputValue, setInputValue } = useContext(InputContext);
  const snapshot = useSyncExternalStore(agent.subscribe, agent.getSnapshot, agent.getSnapshot);

  const sendMessage = useCallback(
    async (text?: string) => {
      const message = text ?? inputValue;
      if (message.trim() === "") return;
      if (text === undefined) setInputValue("");
      await agent.sendMessage(message);
    },
    [agent, inputValue, setInputValue],
  );
  const actions = useMemo(
    () => ({
      resetConversation: () => agent.resetConversation(),
      stopGeneration: () => agent.stopGeneration(),
      approveToolCall: (id: string, options: { readonly editedInput?: unknown } = {}) =>
        agent.approveToolCall(id, options),
      rejectToolCall: (id: string, reason?: string) => agent.rejectToolCall(id, reason),
      listThreads: (options?: { cursor?: string; limit?: number }) => agent.listThreads(options),
      resumeThread: (threadId: string) => agent.resumeThread(threadId),
      attachThread: (threadId: string) => agent.attachThread(threadId),
      deleteThread: (threadId: string) => agent.deleteThread(threadId),
      cancelQueuedMessage: (id: string) => agent.cancelQueuedMessage(id),
      retry: () => agent.retry(),
      regenerate: () => agent.regenerate(),
      editMessage: (messageId: string, text: string) => agent.editMessage(messageId, text),
      sendFeedback: (messageId: string, rating: "up" | "down" | null, comment?: string) =>
        agent.sendFeedback(messageId, rating, comment),
    }),
    [agent],
  );
  return {
    ...snapshot,
    ...actions,
    sendMessage,
    inputValue,
    setInputValue,
    historyDisabled: !enableHistory,
  };
}
