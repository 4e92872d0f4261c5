"use client";
import { type KeyboardEvent, type ReactNode, useRef } from "react";
import { SendIcon, StopIcon } from "./icons.tsx";
import { useAgentChat } from "./use-agent-chat.ts";
import { useEarlyEffect } from "./use-early-effect.ts";
import { useLabels } from "./use-labels.ts";

/** Props of {@link AgentInput}. */
export interface AgentInputProps {
  /** @default "Ask a question" */
  readonly placeholder?: string;
}

const maxHeight = 160;

/**
 * The input. Enter sends, Shift and Enter begin a line, Escape stops the answer, and the arrow up in
 * an empty field edits the last question. What is sent while an answer is being written waits its
 * turn.
 */
export function AgentInput({ placeholder }: AgentInputProps): ReactNode {
  const labels = useLabels();
  const { inputValue, setInputValue, sendMessage, stopGeneration, isStreaming } = useAgentChat();
  const field = useRef<HTMLTextAreaElement>(null);
  const isEmpty = inputValue.trim() === "";

  // The text decides the height.
  useEarlyEffect(() => {
    if (!field.current) return;
    field.current.style.height = "auto";
    field.current.style.height = `${Math.min(maxHeight, field.current.scrollHeight)}px`;
  }, [inputValue]);

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    // While an input method composes, Enter chooses a word.
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      void sendMessage();
    } else if (event.key === "Escape" && isStreaming) {
      event.stopPropagation();
      stopGeneration();
    } else if (event.key === "ArrowUp" && inputValue === "") {
      event.preventDefault();
      editLastQuestion(event.currentTarget);
    }
  }

  return (
    <form
      className="valet-input"
      onSubmit={(event) => {
        event.preventDefault();
        void sendMessage();
      }}
    >
      <textarea
        ref={field}
        className="valet-input-field"
        rows={1}
        value={inputValue}
        placeholder={placeholder ?? labels.inputPlaceholder}
        // Empty, it follows the page, and the placeholder with it.
        dir={isEmpty ? undefined : "auto"}
        aria-label={labels.inputLabel}
        onChange={(event) => setInputValue(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {isStreaming && (
        <button
          type="button"
          className="valet-round-button"
          aria-label={labels.stop}
          title={labels.stop}
          onClick={stopGeneration}
        >
          <StopIcon />
        </button>
      )}
      {(!isStreaming || !isEmpty) && (
        <button
          type="submit"
          className="valet-round-button valet-round-primary"
          aria-label={labels.send}
          title={labels.send}
          disabled={isEmpty}
        >
          <SendIcon />
        </button>
      )}
    </form>
  );
}

/** The question knows how to be edited; which one is the last, the page knows. */
function editLastQuestion(field: HTMLElement): void {
  const buttons = field.closest(".valet-root")?.querySelectorAll(".valet-edit-button") ?? [];
  const last = [...buttons].at(-1);
  if (last instanceof HTMLElement) last.click();
}
