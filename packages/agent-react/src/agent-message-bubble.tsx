"use client";
import type { ConversationMessage } from "@valet/agent-core";
import { memo, type ReactNode } from "react";
import { useAgentContext } from "./agent-context.ts";
import { CopyButton } from "./copy-button.tsx";
import { RetryIcon } from "./icons.tsx";
import { Markdown } from "./markdown.tsx";
import { SourceTiles } from "./source-tiles.tsx";
import { ToolCallCard, ToolCallGroup } from "./tool-call-card.tsx";
import { useLabels } from "./use-labels.ts";

/** Props of {@link AgentMessageBubble}. */
export interface AgentMessageBubbleProps {
  readonly message: ConversationMessage;
  /** Shows a button that asks again, on a failed answer. */
  readonly onRetry?: () => void;
}

/** One message of the conversation. Drawn again only when it changed itself. */
export const AgentMessageBubble: React.NamedExoticComponent<AgentMessageBubbleProps> = memo(
  function AgentMessageBubble({ message, onRetry }: AgentMessageBubbleProps): ReactNode {
    const labels = useLabels();
    if (message.role === "user") {
      return (
        <article className="valet-message valet-message-user" aria-label={labels.you}>
          <div className="valet-bubble" dir="auto">
            {message.content}
          </div>
        </article>
      );
    }
    if (message.isError) return <ErrorMessage message={message} onRetry={onRetry} />;
    return <Answer message={message} />;
  },
);

function ErrorMessage({
  message,
  onRetry,
}: {
  readonly message: ConversationMessage;
  readonly onRetry: (() => void) | undefined;
}): ReactNode {
  const labels = useLabels();
  return (
    <article className="valet-message valet-message-error" aria-label={labels.assistant}>
      <div className="valet-error" role="alert">
        <p>{message.content}</p>
        {onRetry && message.retryable !== false && (
          <button type="button" className="valet-button" onClick={onRetry}>
            <RetryIcon />
            {labels.retry}
          </button>
        )}
      </div>
    </article>
  );
}

function Answer({ message }: { readonly message: ConversationMessage }): ReactNode {
  const labels = useLabels();
  const { agent } = useAgentContext();
  const {
    blocks = [],
    sources = [],
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
        <div className="valet-message-actions">
          <CopyButton text={message.content} label={labels.copyAnswer} />
        </div>
      )}
    </article>
  );
}
