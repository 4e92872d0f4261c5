import type { AgentSnapshot, AgentStatus } from "./agent-snapshot.ts";
import { type AnswerDraft, closeMessage, createDraft } from "./answer-draft.ts";
import type { AgentFailure } from "./failure.ts";
import type { AnswerMessage, ConversationMessage } from "./messages.ts";
import { newId } from "./new-id.ts";
import type { SnapshotStore } from "./snapshot-store.ts";

type Store = SnapshotStore<AgentSnapshot>;

/** Shows an answer that has changed. It alone stands behind the last question. */
export function showAnswer(
  store: Store,
  { message }: AnswerDraft,
  when: "now" | "next-frame",
  status?: AgentStatus,
): void {
  const { messages } = store.read();
  const changes = { messages: [...messages.slice(0, lastQuestionAt(messages) + 1), message] };
  store.update({ ...changes, ...(status && { status }) }, when);
}

/** Where the last question stands; -1 when there is none. */
export function lastQuestionAt(messages: readonly ConversationMessage[]): number {
  return messages.map(({ role }) => role).lastIndexOf("user");
}

/** The answer that is being written. */
export function openAnswer(store: Store): AnswerMessage | undefined {
  const last = store.read().messages.at(-1);
  return last?.role === "assistant" && last.isStreaming ? last : undefined;
}

/** Shows that the answer was stopped. What came of it stays. */
export function showStopped(store: Store): void {
  const { messages } = store.read();
  const begun = openAnswer(store);
  if (!begun && messages.at(-1)?.role !== "user") return;
  const message = closeMessage(begun ?? createDraft(`a_${newId()}`).message, {
    isPartial: true,
    stopped: true,
  });
  store.update({ messages: [...(begun ? messages.slice(0, -1) : messages), message] });
}

/** Shows that the answer failed. What came of it stays. */
export function showFailure(store: Store, failure: AgentFailure): void {
  const { messages } = store.read();
  const begun = openAnswer(store);
  const hasContent = (begun?.blocks.length ?? 0) > 0;
  const error: AnswerMessage = {
    id: `e_${newId()}`,
    role: "assistant",
    content: failure.message,
    blocks: [],
    isError: true,
    errorCode: failure.code,
    retryable: failure.retryable,
    ...(failure.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }),
  };
  store.update({
    messages: [
      ...(begun ? messages.slice(0, -1) : messages),
      ...(begun && hasContent ? [closeMessage(begun, { isPartial: true })] : []),
      error,
    ],
    error: failure,
  });
}

/** Shows a conversation anew. Messages that are as they were keep their identity. */
export function showMessages(store: Store, messages: readonly ConversationMessage[]): void {
  const shown = new Map(store.read().messages.map((message) => [message.id, message]));
  store.update({
    messages: messages.map((message) => {
      const before = shown.get(message.id);
      return before && JSON.stringify(before) === JSON.stringify(message) ? before : message;
    }),
  });
}
