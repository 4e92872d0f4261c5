import type { ChatRequest } from "@valet/protocol";
import type { AgentEvent, AgentOptions } from "./agent-options.ts";
import type { AgentSnapshot, AgentStatus } from "./agent-snapshot.ts";
import { type AnswerDraft, callsOf, closeMessage, createDraft } from "./answer-draft.ts";
import { toFailure } from "./failure.ts";
import type { ConversationMessage } from "./messages.ts";
import { newId } from "./new-id.ts";
import { type PageTools, pendingCalls } from "./page-tools.ts";
import { readRun } from "./run-reader.ts";
import type { Timers } from "./session-tokens/types.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import { stopped } from "./stopped.ts";
import { type AnyTool, declareTool } from "./tools.ts";
import type { Transport } from "./transport.ts";

/** Gets whole answers, and shows them while they come. */
export interface AnswerLoop {
  /**
   * The whole answer to a question: runs of the server, with the page's tools between them.
   *
   * @throws What ended it, unless it ended well; {@link AnswerLoop.showEnd} shows that.
   */
  answer(question: ConversationMessage, signal: AbortSignal): Promise<void>;
  /** Shows an answer that has changed. */
  show(draft: AnswerDraft, when: "now" | "next-frame", status?: AgentStatus): void;
  /**
   * Shows how an answer ended that did not end well. What came of it stays.
   *
   * @returns Whether it was stopped; it failed otherwise.
   */
  showEnd(thrown: unknown, signal: AbortSignal): boolean;
}

/** What {@link createAnswerLoop} needs. */
export interface AnswerLoopOptions {
  readonly store: SnapshotStore<AgentSnapshot>;
  readonly timers: Timers;
  readonly tools: PageTools;
  /** The transport as it is now. */
  readonly transport: () => Transport;
  /** The agent's options as they are now. */
  readonly options: () => AgentOptions<never>;
  /** What people read for a tool, by its name. */
  readonly displayName: (name: string) => string | undefined;
  readonly emit: (event: AgentEvent) => void;
  /** Told when a request leaves. */
  readonly onSend: () => void;
  /** Told which run is being read; undefined while it is not known. */
  readonly onRun: (runId: string | undefined) => void;
}

/** Creates the loop of one agent. */
export function createAnswerLoop({
  store,
  timers,
  tools,
  transport,
  options,
  displayName,
  emit,
  onSend,
  onRun,
}: AnswerLoopOptions): AnswerLoop {
  async function run(
    body: Partial<ChatRequest>,
    earlier: AnswerDraft | undefined,
    signal: AbortSignal,
  ): Promise<{ draft: AnswerDraft; finishReason: string }> {
    const answer = await transport().send("/chat/", {
      method: "POST",
      body: toChatRequest(body, options(), store.read().threadId),
      signal,
      onSend,
    });
    const threadId = answer.headers.get("x-thread-id");
    onRun(answer.headers.get("x-run-id") ?? undefined);
    if (threadId !== null) store.update({ threadId, status: "thinking" });
    return readRun({
      transport: transport(),
      answer,
      earlier,
      signal,
      timers,
      displayName,
      onStart(ids) {
        onRun(ids.runId);
        store.update({ threadId: ids.threadId });
      },
      show,
      onReconnecting: (isReconnecting) =>
        store.update({ status: isReconnecting ? "reconnecting" : "thinking" }),
    });
  }

  function show(draft: AnswerDraft, when: "now" | "next-frame", status?: AgentStatus): void {
    const { messages } = store.read();
    const last = messages.at(-1);
    const others = last?.role === "assistant" && !last.isError ? messages.slice(0, -1) : messages;
    store.update({ messages: [...others, draft.message], ...(status && { status }) }, when);
  }

  return {
    async answer(question, signal) {
      let draft: AnswerDraft | undefined;
      let body: Partial<ChatRequest> = {
        trigger: "submit-message",
        messages: [
          { id: question.id, role: "user", parts: [{ type: "text", text: question.content }] },
        ],
      };
      while (true) {
        const ran = await run(body, draft, signal);
        draft = ran.draft;
        if (ran.finishReason !== "tool-calls" || pendingCalls(draft).length === 0) break;
        const worked = await tools.run(draft, signal);
        draft = worked.draft;
        body = { messages: [], toolOutputs: worked.outputs };
      }
      show({ ...draft, message: closeMessage(draft.message) }, "now");
      const toolCallCount = callsOf(draft).length;
      emit({
        type: "response_completed",
        data: { threadId: store.read().threadId, toolCallCount },
      });
    },
    show,
    showEnd(thrown, signal) {
      const { messages, threadId } = store.read();
      const last = messages.at(-1);
      const begun = last?.role === "assistant" && last.isStreaming ? last : undefined;
      const before = begun ? messages.slice(0, -1) : messages;
      if (thrown === stopped || signal.reason === stopped) {
        const message = closeMessage(begun ?? createDraft(`a_${newId()}`).message, {
          isPartial: true,
          stopped: true,
        });
        store.update({ messages: [...before, message] });
        return true;
      }
      const failure = toFailure(thrown);
      const error: ConversationMessage = {
        id: `e_${newId()}`,
        role: "assistant",
        content: failure.message,
        blocks: [],
        isError: true,
        errorCode: failure.code,
        retryable: failure.retryable,
        ...(failure.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }),
      };
      const hasContent = (begun?.blocks?.length ?? 0) > 0;
      store.update({
        messages: [
          ...before,
          ...(begun && hasContent ? [closeMessage(begun, { isPartial: true })] : []),
          error,
        ],
        error: failure,
      });
      const { code, detail } = failure;
      emit({ type: "response_error", data: { threadId, error: detail, code } });
      return false;
    },
  };
}

/** The body of a request, with what the page's options add to it. */
function toChatRequest(
  body: Partial<ChatRequest>,
  options: AgentOptions<never>,
  threadId: string | undefined,
): ChatRequest {
  const { integrationId, model, customInstructions, user, locale } = options;
  const { tools = [], sourceGroupIdsInclude = [] } = options;
  // What is undefined does not reach the wire: JSON has no such value.
  return {
    ...body,
    id: threadId,
    integrationId,
    model,
    tools: tools.length > 0 ? (tools as readonly AnyTool<never>[]).map(declareTool) : undefined,
    customInstructions,
    sourceGroupIdsInclude: sourceGroupIdsInclude.length > 0 ? sourceGroupIdsInclude : undefined,
    user: user && { ...user },
    locale,
  } as ChatRequest;
}
