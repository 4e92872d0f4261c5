"use client";
import type { ConversationMessage } from "@valet/agent-core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useAgentChat } from "./use-agent-chat.ts";
import { useLabels } from "./use-labels.ts";
import { useSlowness } from "./use-slowness.ts";

/** Longer answers are announced by their beginning: a screen reader reads on by itself. */
const announcedChars = 200;

/**
 * Tells screen readers what sighted people see: that the agent searches or answers, and the answer
 * once, when it is whole. Words are not read out as they come.
 */
export function LiveStatus(): ReactNode {
  const labels = useLabels();
  const { messages, isStreaming, status } = useAgentChat();
  const [said, setSaid] = useState("");
  const wasStreaming = useRef(false);
  const last = messages.at(-1);
  const isSlow = useSlowness(
    isStreaming && status !== "awaiting-approval",
    snapshotOf(last, status),
  );
  const asking = askingTools(last);

  useEffect(() => {
    if (isStreaming) setSaid(isSlow ? labels.stillWorking : labels.status[status]);
    else if (wasStreaming.current && last?.role === "assistant" && !last.isError) {
      setSaid(summarise(last.content, labels.answerReady));
    }
    wasStreaming.current = isStreaming;
  }, [isStreaming, isSlow, status, last, labels]);

  return (
    <>
      <div className="valet-hidden" role="status" aria-live="polite">
        {said}
      </div>
      {/* Nothing goes on until the person has decided: that may interrupt. */}
      <div className="valet-hidden" aria-live="assertive">
        {asking !== "" && `${asking} ${labels.asksApproval}`}
      </div>
    </>
  );
}

/** Changes whenever something new has come. */
function snapshotOf(last: ConversationMessage | undefined, status: string): string {
  return `${status} ${last?.id} ${last?.content.length} ${last?.blocks?.length}`;
}

/** The names of the tools that wait for the person. */
function askingTools(last: ConversationMessage | undefined): string {
  return (last?.blocks ?? [])
    .flatMap((block) => (block.type === "tool_calls" ? block.toolCalls : []))
    .filter(({ status }) => status === "approval_requested")
    .map(({ displayName, name }) => displayName ?? name)
    .join(", ");
}

function summarise(markdown: string, ending: string): string {
  const text = markdown
    .replace(/```[\s\S]*?```/g, " ")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    // The line below the head of a table, and what stands between its cells.
    .replace(/^[\s|:-]+$|\|/gm, " ")
    .replace(/\[[\d,\s]+\]|[*_`>#]/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return text.length <= announcedChars ? text : `${text.slice(0, announcedChars)}… ${ending}`;
}
