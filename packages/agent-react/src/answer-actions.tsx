"use client";
import type { ConversationMessage } from "@valet/agent-core";
import { type FormEvent, type ReactNode, useState } from "react";
import { useAgentContext } from "./agent-context.ts";
import { CopyButton } from "./copy-button.tsx";
import { DownVoteIcon, RetryIcon, UpVoteIcon } from "./icons.tsx";
import { useLabels } from "./use-labels.ts";

/** What can be done with an answer: copy it, say what it was worth, have it written anew. */
export function AnswerActions({
  message,
  onRegenerate,
}: {
  readonly message: ConversationMessage;
  readonly onRegenerate: (() => void) | undefined;
}): ReactNode {
  const labels = useLabels();
  const { agent } = useAgentContext();
  const [state, setState] = useState<"quiet" | "asking" | "thanked" | "failed">("quiet");
  const { id, content, feedback } = message;

  function rate(rating: "up" | "down" | null, comment?: string): void {
    agent.sendFeedback(id, rating, comment).then(
      () => setState(rating === "down" && comment === undefined ? "asking" : "thanked"),
      () => setState("failed"),
    );
  }
  const toggle = (rating: "up" | "down"): void => {
    setState("quiet");
    rate(feedback === rating ? null : rating);
  };
  return (
    <>
      <div className="valet-message-actions">
        <CopyButton text={content} label={labels.copyAnswer} />
        {(["up", "down"] as const).map((rating) => {
          const label = rating === "up" ? labels.goodAnswer : labels.badAnswer;
          return (
            <button
              key={rating}
              type="button"
              className="valet-icon-button"
              aria-label={label}
              title={label}
              aria-pressed={feedback === rating}
              onClick={() => toggle(rating)}
            >
              {rating === "up" ? <UpVoteIcon /> : <DownVoteIcon />}
            </button>
          );
        })}
        {onRegenerate && (
          <button
            type="button"
            className="valet-icon-button"
            aria-label={labels.regenerate}
            title={labels.regenerate}
            onClick={onRegenerate}
          >
            <RetryIcon />
          </button>
        )}
        <span className="valet-feedback-note" aria-live="polite">
          {state === "thanked" && feedback !== null && labels.feedbackThanks}
          {state === "failed" && labels.feedbackFailed}
        </span>
      </div>
      {state === "asking" && feedback === "down" && (
        <CommentForm
          onSend={(comment) => rate("down", comment)}
          onLeave={() => setState("quiet")}
        />
      )}
    </>
  );
}

/** Asks what was wrong. Whoever does not want to say so goes on without it. */
function CommentForm({
  onSend,
  onLeave,
}: {
  readonly onSend: (comment: string) => void;
  readonly onLeave: () => void;
}): ReactNode {
  const labels = useLabels();
  const [text, setText] = useState("");
  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() !== "") onSend(text.trim());
  };
  return (
    <form className="valet-edit" onSubmit={send}>
      <textarea
        className="valet-edit-field"
        rows={2}
        maxLength={4_000}
        aria-label={labels.feedbackComment}
        placeholder={labels.feedbackComment}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="valet-tool-actions">
        <button type="button" className="valet-button" onClick={onLeave}>
          {labels.cancel}
        </button>
        <button
          type="submit"
          className="valet-button valet-button-primary"
          disabled={text.trim() === ""}
        >
          {labels.sendFeedback}
        </button>
      </div>
    </form>
  );
}
