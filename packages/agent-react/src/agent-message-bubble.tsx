"use client";
import type { ConversationMessage, MessageSource } from "@valet/agent-core";
import { memo, type ReactNode } from "react";
import { useAgentContext } from "./agent-context.ts";
import { AnswerActions } from "./answer-actions.tsx";
import { FailedAnswer } from "./failed-answer.tsx";
import { Markdown } from "./markdown.tsx";
import { Question } from "./question.tsx";
import { SourceTiles } from "./source-tiles.tsx";
import { ToolCallCard, ToolCallGroup } from "./tool-call-card.tsx";
import { useLabels } from "./use-labels.ts";

/** Props of {@link AgentMessageBubble}. */
export interface AgentMessageBubbleProps {
  readonly message: ConversationMessage;
  /** Shows a button that asks again, on a failed answer. */
  readonly onRetry?: (() => void) | undefined;
  /** Shows a button that has the answer written anew. */
  readonly onRegenerate?: (() => void) | undefined;
}

/** One message of the conversation. Drawn again only when it changed itself. */
export const AgentMessageBubble: React.NamedExoticComponent<AgentMessageBubbleProps> = memo(
  function AgentMessageBubble({
    message,
    onRetry,
    onRegenerate,
  }: AgentMessageBubbleProps): ReactNode {
    if (message.role === "user") return <Question message={message} />;
    if (message.isError) return <FailedAnswer message={message} onRetry={onRetry} />;
    return <Answer message={message} onRegenerate={onRegenerate} />;
  },
);

const noSources: readonly MessageSource[] = [];

function Answer({
  message,
  onRegenerate,
}: {
  readonly message: ConversationMessage;
  readonly onRegenerate: (() => void) | undefined;
}): ReactNode {
  const labels = useLabels();
  const { agent } = useAgentContext();
  const {
    blocks = [],
    sources = noSources,
    isStreaming = false,
    isPartial = false,
    stopped = false,
  } = message;
  const isOver = !isStreaming;
  return (
    <article
      className="valet-message valet-message-assistant"
      aria-label={labels.assistant}
      aria-busy={isStreaming}
    >
      {blocks.map((block, at) =>
        block.type === "text" ? (
          <Markdown
            // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only ever added at the end.
            key={at}
            text={block.content}
            sources={sources}
            isStreaming={(isStreaming || isPartial) && at === blocks.length - 1}
          />
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only ever added at the end.
          <ToolCallGroup key={at}>
            {block.toolCalls.map((toolCall) => (
              <ToolCallCard
                key={toolCall.id}
                toolCall={toolCall}
                onApprove={(id) => agent.approveToolCall(id)}
                onReject={(id) => agent.rejectToolCall(id)}
              />
            ))}
          </ToolCallGroup>
        ),
      )}
      {isStreaming && message.content !== "" && <span className="valet-caret" aria-hidden="true" />}
      {stopped && <p className="valet-stopped">{labels.stopped}</p>}
      {isOver && <SourceTiles sources={sources} />}
      {isOver && message.content !== "" && (
        <AnswerActions message={message} onRegenerate={onRegenerate} />
      )}
    </article>
  );
}
