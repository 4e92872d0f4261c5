"use client";
import type { ConversationMessage } from "@valet/agent-core";
import {
  type FormEvent,
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useRef,
  useState,
} from "react";
import { useAgentContext } from "./agent-context.ts";
import { EditIcon } from "./icons.tsx";
import { useLabels } from "./use-labels.ts";

/** What a person has asked, as they typed it; and another question in its place. */
export function Question({ message }: { readonly message: ConversationMessage }): ReactNode {
  const labels = useLabels();
  const [isEditing, setIsEditing] = useState(false);
  const edit = useRef<HTMLButtonElement>(null);
  const wasEditing = useRef(false);
  useEffect(() => {
    if (wasEditing.current && !isEditing) edit.current?.focus();
    wasEditing.current = isEditing;
  }, [isEditing]);
  return (
    <article className="valet-message valet-message-user" aria-label={labels.you}>
      {isEditing ? (
        <QuestionForm message={message} onLeave={() => setIsEditing(false)} />
      ) : (
        <>
          <div className="valet-bubble" dir="auto">
            {message.content}
          </div>
          <button
            ref={edit}
            type="button"
            className="valet-icon-button valet-edit-button"
            aria-label={labels.editMessage}
            title={labels.editMessage}
            onClick={() => setIsEditing(true)}
          >
            <EditIcon />
          </button>
        </>
      )}
    </article>
  );
}

function QuestionForm({
  message,
  onLeave,
}: {
  readonly message: ConversationMessage;
  readonly onLeave: () => void;
}): ReactNode {
  const labels = useLabels();
  const { agent } = useAgentContext();
  const [text, setText] = useState(message.content);
  const isEmpty = text.trim() === "";

  function send(event: FormEvent): void {
    event.preventDefault();
    if (!isEmpty) void agent.editMessage(message.id, text.trim());
  }
  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (event.key === "Escape") {
      event.stopPropagation();
      onLeave();
    } else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      send(event);
    }
  }
  return (
    <form className="valet-edit" onSubmit={send}>
      <textarea
        // The person has just asked for it.
        ref={focusEnd}
        className="valet-edit-field"
        rows={Math.min(8, text.split("\n").length + 1)}
        aria-label={labels.editLabel}
        dir="auto"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="valet-tool-actions">
        <button type="button" className="valet-button" onClick={onLeave}>
          {labels.cancel}
        </button>
        <button type="submit" className="valet-button valet-button-primary" disabled={isEmpty}>
          {labels.saveEdit}
        </button>
      </div>
    </form>
  );
}

/** Outside of the component: React calls a new function again on every change. */
function focusEnd(field: HTMLTextAreaElement | null): void {
  field?.focus();
  field?.setSelectionRange(field.value.length, field.value.length);
}
