"use client";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useAgentChat } from "./use-agent-chat.ts";
import { useLabels } from "./use-labels.ts";

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

  useEffect(() => {
    if (isStreaming) setSaid(labels.status[status]);
    else if (wasStreaming.current && last?.role === "assistant" && !last.isError) {
      setSaid(summarise(last.content, labels.answerReady));
    }
    wasStreaming.current = isStreaming;
  }, [isStreaming, status, last, labels]);

  return (
    <div className="valet-hidden" role="status" aria-live="polite">
      {said}
    </div>
  );
}

function summarise(markdown: string, ending: string): string {
  const text = markdown
    .replace(/```[\s\S]*?```/g, " ")
    .replace(/\[[\d,\s]+\]|[*_`>#]/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return text.length <= announcedChars ? text : `${text.slice(0, announcedChars)}… ${ending}`;
}
