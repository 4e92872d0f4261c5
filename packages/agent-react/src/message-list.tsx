"use client";
import { type ReactNode, useCallback, useRef, useState } from "react";
import { AgentMessageBubble } from "./agent-message-bubble.tsx";
import { CloseIcon, DownIcon } from "./icons.tsx";
import { useAgentChat } from "./use-agent-chat.ts";
import { useEarlyEffect } from "./use-early-effect.ts";
import { useLabels } from "./use-labels.ts";
import { useSlowness } from "./use-slowness.ts";

/** How near to its end, in pixels, the list follows what is added. */
const nearEnd = 48;

/** The conversation. Follows a growing answer only for who is reading its end. */
export function MessageList({ children }: { readonly children?: ReactNode }): ReactNode {
  const labels = useLabels();
  const { messages, queued, status, isStreaming, retry, regenerate, cancelQueuedMessage } =
    useAgentChat();
  const list = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);
  const [isAway, setIsAway] = useState(false);
  const last = messages.at(-1);

  const toEnd = (behavior: ScrollBehavior = "auto"): void => {
    const element = list.current;
    element?.scrollTo?.({ top: element.scrollHeight, behavior });
  };
  const onScroll = (): void => {
    const element = list.current;
    if (!element) return;
    const isNear = element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd;
    isFollowing.current = isNear;
    setIsAway(!isNear);
  };
  // What is shown changed, and with it the height.
  useEarlyEffect(() => {
    // Whoever has just asked wants to see the answer, wherever they were reading.
    if (last?.role === "user") isFollowing.current = true;
    if (isFollowing.current) toEnd();
  }, [messages, queued, status]);

  const isEmpty = messages.length === 0 && queued.length === 0;
  const isSilent = last?.role === "user" || last?.content === "" || status === "reconnecting";
  const isWaiting = isStreaming && isSilent;
  const isSlow = useSlowness(isWaiting, `${messages.length} ${status}`);
  const onRetry = useCallback(() => void retry(), [retry]);
  const onRegenerate = useCallback(() => void regenerate(), [regenerate]);
  return (
    <div className="valet-list-frame">
      <div
        ref={list}
        className="valet-list"
        role="log"
        aria-live="off"
        aria-label={labels.conversation}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard (WCAG 2.1.1).
        tabIndex={0}
        onScroll={onScroll}
      >
        <div className="valet-column">
          {isEmpty && children}
          {messages.map((message) => (
            <AgentMessageBubble
              key={message.id}
              message={message}
              onRetry={message === last ? onRetry : undefined}
              onRegenerate={message === last && !isStreaming ? onRegenerate : undefined}
            />
          ))}
          {isWaiting && labels.status[status] !== "" && (
            <p className="valet-working">
              <span className="valet-dots" aria-hidden="true">
                <i />
                <i />
                <i />
              </span>
              {labels.status[status]}
              {isSlow && ` · ${labels.stillWorking}`}
            </p>
          )}
          {queued.map(({ id, text }) => (
            <div key={id} className="valet-message valet-message-user valet-queued">
              <div className="valet-bubble" dir="auto">
                {text}
              </div>
              <span className="valet-queued-note">
                {labels.queued}
                <button
                  type="button"
                  className="valet-icon-button"
                  aria-label={`${labels.cancelQueued}: ${text}`}
                  onClick={() => cancelQueuedMessage(id)}
                >
                  <CloseIcon />
                </button>
              </span>
            </div>
          ))}
        </div>
      </div>
      {isAway && (
        <button type="button" className="valet-jump" onClick={() => toEnd("smooth")}>
          <DownIcon />
          {labels.jumpToLatest}
        </button>
      )}
    </div>
  );
}
