"use client";
import type { AgentStatus, ConversationMessage, ToolCallDisplay } from "@valet/agent-core";
import { useRef, useSyncExternalStore } from "react";
import { useAgentContext } from "./agent-context.ts";

/** What the agent is doing. Draws again only when that changes, not with every word. */
export function useAgentStatus(): AgentStatus {
  const { agent } = useAgentContext();
  const read = (): AgentStatus => agent.getSnapshot().status;
  return useSyncExternalStore(agent.subscribe, read, read);
}

/** The ids of the messages, in order. Draws again only when one comes or goes. */
export function useMessageIds(): readonly string[] {
  return useList((messages) => messages.map(({ id }) => id));
}

/** One message; undefined when it is gone. Draws again only when it changes itself. */
export function useMessage(id: string): ConversationMessage | undefined {
  const { agent } = useAgentContext();
  const read = (): ConversationMessage | undefined =>
    agent.getSnapshot().messages.find((message) => message.id === id);
  return useSyncExternalStore(agent.subscribe, read, read);
}

/** The calls that wait for the person's word. */
export function usePendingApprovals(): readonly ToolCallDisplay[] {
  return useList((messages) =>
    (messages.at(-1)?.blocks ?? [])
      .flatMap((block) => (block.type === "tool_calls" ? block.toolCalls : []))
      .filter(({ status }) => status === "approval_requested"),
  );
}

/** A list made of the messages: the same one for as long as its entries are. */
function useList<Entry>(
  select: (messages: readonly ConversationMessage[]) => readonly Entry[],
): readonly Entry[] {
  const { agent } = useAgentContext();
  const known = useRef<readonly Entry[]>([]);
  const read = (): readonly Entry[] => {
    const next = select(agent.getSnapshot().messages);
    const isSame =
      next.length === known.current.length &&
      next.every((entry, at) => entry === known.current[at]);
    if (!isSame) known.current = next;
    return known.current;
  };
  return useSyncExternalStore(agent.subscribe, read, read);
}
