"use client";
import type {
  AgentFailure,
  AgentStatus,
  AuthState,
  ConversationMessage,
  ListedThread,
  QueuedMessage,
} from "@valet/agent-core";
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { useAgentContext } from "./agent-context.ts";

/** What {@link useAgentChat} gives. */
export interface AgentChatState {
  readonly messages: readonly ConversationMessage[];
  /** From the sending of a message until its whole answer has ended, tools included. */
  readonly isStreaming: boolean;
  readonly inputValue: string;
  readonly setInputValue: (value: string) => void;
  /** Sends a text, or what stands in the input, which it then empties. */
  readonly sendMessage: (text?: string) => Promise<void>;
  readonly resetConversation: () => void;
  readonly stopGeneration: () => void;
  readonly approveToolCall: (id: string) => void;
  readonly rejectToolCall: (id: string) => void;
  readonly threadId: string | undefined;
  readonly historyDisabled: boolean;
  readonly listThreads: (options?: {
    cursor?: string;
    limit?: number;
  }) => Promise<{ threads: readonly ListedThread[]; nextCursor: string | undefined }>;
  readonly resumeThread: (threadId: string) => Promise<void>;
  readonly deleteThread: (threadId: string) => Promise<void>;
  /** Messages that wait for the present answer to end. */
  readonly queued: readonly QueuedMessage[];
  readonly cancelQueuedMessage: (id: string) => void;
  readonly status: AgentStatus;
  readonly auth: AuthState;
  readonly error: AgentFailure | undefined;
  /** Asks the last failed message again. */
  readonly retry: () => Promise<void>;
}

/** The conversation of the provider above: what it is, and what can be done with it. */
export function useAgentChat(): AgentChatState {
  const { agent, enableHistory, inputValue, setInputValue } = useAgentContext();
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
      approveToolCall: (id: string) => agent.approveToolCall(id),
      rejectToolCall: (id: string) => agent.rejectToolCall(id),
      listThreads: (options?: { cursor?: string; limit?: number }) => agent.listThreads(options),
      resumeThread: (threadId: string) => agent.resumeThread(threadId),
      deleteThread: (threadId: string) => agent.deleteThread(threadId),
      cancelQueuedMessage: (id: string) => agent.cancelQueuedMessage(id),
      retry: () => agent.retry(),
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
