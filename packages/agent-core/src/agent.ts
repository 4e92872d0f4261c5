import type {
  ChatRequest,
  StoredThread,
  StreamPart,
  ThreadList,
  ToolOutput,
} from "@valet/protocol";
import {
  AgentError,
  HistoryDisabledError,
  SessionWithoutOwnerError,
  ThreadNotFoundError,
} from "./agent-error.ts";
import type { AgentEvent, AgentOptions } from "./agent-options.ts";
import {
  type AnswerDraft,
  addPart,
  changeCall,
  closeMessage,
  createDraft,
  endCall,
} from "./answer-draft.ts";
import { type AgentFailure, toFailure } from "./failure.ts";
import type { ConversationMessage } from "./messages.ts";
import { followRun } from "./run-stream.ts";
import {
  createSessionTokenManager,
  type GetSessionToken,
  type SessionTokenManager,
  type Timers,
} from "./session-tokens.ts";
import { createRequestFrame, createSnapshotStore, type SnapshotStore } from "./snapshot-store.ts";
import { fromStored } from "./stored-thread.ts";
import { isTokenError } from "./token-error.ts";
import { type AnyTool, checkArguments, declareTool } from "./tools.ts";
import { createTransport, type Transport } from "./transport.ts";

/** What the agent is doing. */
export type AgentStatus =
  | "idle"
  | "connecting"
  | "searching"
  | "thinking"
  | "answering"
  | "tool"
  | "awaiting-approval"
  | "reconnecting";

/** Whether the page has a session. Looking at it causes no call. */
export type AuthState = "idle" | "connecting" | "ready" | "signed-out" | "failed";

/** A message that waits for its turn. */
export interface QueuedMessage {
  readonly id: string;
  readonly text: string;
}

/** Everything that a page shows, as one immutable value. */
export interface AgentSnapshot {
  readonly messages: readonly ConversationMessage[];
  /** From the sending of a message until its whole answer has ended, tools included. */
  readonly isStreaming: boolean;
  readonly queued: readonly QueuedMessage[];
  readonly threadId: string | undefined;
  readonly status: AgentStatus;
  readonly auth: AuthState;
  /** Why the last answer failed; undefined once another one begins. */
  readonly error: AgentFailure | undefined;
}

interface Turn extends QueuedMessage {
  readonly done: () => void;
}

/** A stop by the person, told from every other abort by its identity. */
const stopped: unique symbol = Symbol("stopped");

const systemTimers: Timers = {
  set: (callback, delayMs) => setTimeout(callback, delayMs),
  clear: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
};

/**
 * The agent of one conversation in one page: asks, streams, runs the page's tools, and looks after
 * the session token. Needs no DOM. Nothing is sent before the first message.
 *
 * @example
 * const agent = new Agent({ projectId, integrationId, getSessionToken });
 * agent.subscribe(() => render(agent.getSnapshot().messages));
 * await agent.sendMessage("How do I rotate a key?");
 */
export class Agent<Context = unknown> {
  readonly #store: SnapshotStore<AgentSnapshot>;
  readonly #tokens: SessionTokenManager;
  readonly #timers: Timers;
  #options: AgentOptions<Context>;
  #transport: Transport;
  #turns: Turn[] = [];
  #isDraining = false;
  #abort: AbortController | undefined;
  #runId: string | undefined;
  #approvals = new Map<string, (isApproved: boolean) => void>();
  #lastFailedTurn: QueuedMessage | undefined;
  #generation = 0;
  #isDisposed = false;

  constructor(options: AgentOptions<Context>) {
    this.#options = options;
    this.#timers = options.sessionTokens?.timers ?? systemTimers;
    this.#tokens = createSessionTokenManager(
      (context) => (this.#options.getSessionToken as GetSessionToken)(context),
      options.sessionTokens,
    );
    this.#transport = this.#createTransport();
    this.#store = createSnapshotStore<AgentSnapshot>(
      {
        messages: [],
        isStreaming: false,
        queued: [],
        threadId: undefined,
        status: "idle",
        auth: "idle",
        error: undefined,
      },
      createRequestFrame(this.#timers),
    );
    let wasStreaming = false;
    let lastMessages = this.#store.read().messages;
    this.#store.subscribe(() => {
      const { messages, isStreaming } = this.#store.getSnapshot();
      if (messages !== lastMessages) {
        lastMessages = messages;
        this.#options.onMessagesChange?.(messages);
      }
      if (isStreaming !== wasStreaming) {
        wasStreaming = isStreaming;
        this.#options.onStreamingChange?.(isStreaming);
      }
    });
    this.#tokens.subscribe(() => this.#showAuth());
  }

  /** Told whenever {@link getSnapshot} gives something new; at most once a frame while text streams. */
  readonly subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  /** Everything that a page shows. The same object until something changes. */
  readonly getSnapshot = (): AgentSnapshot => this.#store.getSnapshot();

  /**
   * Asks. While another answer is being written the message waits for its turn. Failures are shown
   * in the conversation and told to `onEvent`; they do not reject.
   *
   * @returns When the answer has ended, or the message was cancelled.
   * @throws TypeError for an empty text; {@link AgentError} `disposed`.
   */
  async sendMessage(text: string): Promise<void> {
    if (text.trim() === "") throw new TypeError("A message needs a text.");
    if (this.#isDisposed) throw new AgentError("disposed", "This agent was disposed of.");
    return this.#enqueue({ id: `u_${newId()}`, text });
  }

  /** Asks the last failed message again. Does nothing when none has failed. */
  async retry(): Promise<void> {
    const turn = this.#lastFailedTurn;
    if (!turn || this.#isDisposed || this.#store.read().isStreaming) return;
    const { messages } = this.#store.read();
    const at = messages.findIndex(({ id }) => id === turn.id);
    if (at >= 0) this.#store.update({ messages: messages.slice(0, at) });
    // The same id: a server that has the question already does not take it for another one.
    return this.#enqueue(turn);
  }

  /** Takes back a message that is still waiting. */
  cancelQueuedMessage(id: string): void {
    const turn = this.#turns.find((waiting) => waiting.id === id);
    this.#turns = this.#turns.filter((waiting) => waiting !== turn);
    this.#showQueue();
    turn?.done();
  }

  /** Stops the answer that is being written, on the server, too. Waiting messages stay. */
  stopGeneration(): void {
    const { threadId } = this.#store.read();
    const runId = this.#runId;
    if (!this.#abort || this.#abort.signal.aborted) return;
    this.#abort.abort(stopped);
    this.#emit({ type: "generation_stopped", data: { threadId } });
    if (threadId === undefined || runId === undefined) return;
    this.#transport
      .send(`/chat/${encodeURIComponent(threadId)}/stop/`, { method: "POST", body: { runId } })
      .catch(() => undefined);
  }

  /** Forgets the conversation and begins a new one. The session stays. */
  resetConversation(): void {
    const { threadId } = this.#store.read();
    this.#abandon();
    this.#store.update({
      messages: [],
      queued: [],
      isStreaming: false,
      threadId: undefined,
      status: "idle",
      error: undefined,
    });
    this.#emit({ type: "conversation_reset", data: { threadId } });
  }

  /** Lets a call that waits for approval run. */
  approveToolCall(id: string): void {
    this.#approvals.get(id)?.(true);
  }

  /** Refuses a call that waits for approval. The model is told, and goes on. */
  rejectToolCall(id: string): void {
    this.#approvals.get(id)?.(false);
  }

  /** Changes options without a reset. A new `getSessionToken` counts from the next call on. */
  updateOptions(changes: Partial<AgentOptions<Context>>): void {
    const { baseUrl, projectId } = this.#options;
    this.#options = { ...this.#options, ...changes };
    if (this.#options.baseUrl !== baseUrl || this.#options.projectId !== projectId) {
      this.#transport = this.#createTransport();
    }
  }

  getMessages(): readonly ConversationMessage[] {
    return this.#store.read().messages;
  }

  getIsStreaming(): boolean {
    return this.#store.read().isStreaming;
  }

  getThreadId(): string | undefined {
    return this.#store.read().threadId;
  }

  /** Drops the session token, because the person changed. What is under way ends. */
  clearSession(): void {
    this.#tokens.reset();
    this.#transport = this.#createTransport();
  }

  /** Fetches a session token ahead of need, for example when the composer gets the focus. */
  prefetchSession(): void {
    this.#tokens.prefetch();
  }

  /**
   * An address to open a source at. Pages of the server itself ask for a credential, which a link
   * cannot carry: for those a ticket is fetched that works once.
   */
  async sourceUrl(url: string): Promise<string> {
    const page = /^(?:https?:\/\/[^/]+)?(\/sources\/[^/?#]+)(#.*)?$/.exec(url);
    const own = page?.[1] && this.#transport.resolve(page[1]);
    if (!page?.[1] || (!url.startsWith("/") && own !== url.replace(/#.*$/, ""))) {
      return this.#transport.resolve(url);
    }
    const answer = await this.#transport.send(`${page[1]}/ticket`, { method: "POST" });
    const ticket = (await answer.json()) as { url: string };
    return `${this.#transport.resolve(ticket.url)}${page[2] ?? ""}`;
  }

  /**
   * Past conversations of the session's owner, latest first.
   *
   * @throws {@link HistoryDisabledError}, {@link SessionWithoutOwnerError}.
   */
  async listThreads(options: { readonly cursor?: string; readonly limit?: number } = {}): Promise<{
    readonly threads: readonly ListedThread[];
    readonly nextCursor: string | undefined;
  }> {
    this.#requireHistory();
    const query = new URLSearchParams();
    if (options.cursor !== undefined) query.set("cursor", options.cursor);
    if (options.limit !== undefined) query.set("limit", String(options.limit));
    const suffix = query.size === 0 ? "" : `?${query}`;
    const answer = await this.#sendForHistory(`/threads/${suffix}`);
    const { threads, next_cursor } = (await answer.json()) as ThreadList;
    return {
      threads: threads.map((thread) => ({
        id: thread.id,
        title: thread.title,
        createdAt: thread.created_at,
        updatedAt: thread.updated_at,
        messageCount: thread.message_count,
      })),
      nextCursor: next_cursor ?? undefined,
    };
  }

  /**
   * Loads a past conversation into this one.
   *
   * @throws {@link HistoryDisabledError}, {@link SessionWithoutOwnerError},
   *   {@link ThreadNotFoundError}.
   */
  async resumeThread(threadId: string): Promise<void> {
    this.#requireHistory();
    const answer = await this.#sendForHistory(`/threads/${encodeURIComponent(threadId)}/`);
    const stored = (await answer.json()) as StoredThread;
    this.#abandon();
    this.#store.update({
      messages: stored.messages.map((message) => fromStored(message, this.#displayName)),
      queued: [],
      isStreaming: false,
      threadId: stored.thread.id,
      status: "idle",
      error: undefined,
    });
    this.#emit({ type: "thread_resumed", data: { threadId } });
  }

  /**
   * Deletes a past conversation. If it is the present one, the page is empty afterwards.
   *
   * @throws As {@link resumeThread}.
   */
  async deleteThread(threadId: string): Promise<void> {
    this.#requireHistory();
    await this.#sendForHistory(`/threads/${encodeURIComponent(threadId)}/`, "DELETE");
    if (this.#store.read().threadId === threadId) this.resetConversation();
    this.#emit({ type: "thread_deleted", data: { threadId } });
  }

  /** Ends the agent for good. An answer that is being written goes on on the server. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#abandon();
    this.#tokens.dispose();
  }

  readonly #displayName = (name: string): string | undefined => {
    const { tools = [], builtinToolMeta = {} } = this.#options;
    return (
      tools.find((tool) => tool.name === name)?.displayName ?? builtinToolMeta[name]?.displayName
    );
  };

  #createTransport(): Transport {
    const { projectId, baseUrl, fetch } = this.#options;
    return createTransport({
      projectId,
      tokens: this.#tokens,
      ...(baseUrl !== undefined && { baseUrl }),
      ...(fetch && { fetch }),
    });
  }

  #emit(event: AgentEvent): void {
    this.#options.onEvent?.(event);
  }

  #enqueue({ id, text }: QueuedMessage): Promise<void> {
    return new Promise((done) => {
      this.#turns.push({ id, text, done });
      this.#showQueue();
      void this.#drain();
    });
  }

  #showQueue(): void {
    this.#store.update({ queued: this.#turns.map(({ id, text }) => ({ id, text })) });
  }

  /** Answers what waits, one after the other. */
  async #drain(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    for (let turn = this.#turns.shift(); turn; turn = this.#turns.shift()) {
      await this.#takeTurn(turn);
      turn.done();
    }
    this.#isDraining = false;
  }

  async #takeTurn({ id, text }: QueuedMessage): Promise<void> {
    const generation = this.#generation;
    const abort = new AbortController();
    const question: ConversationMessage = { id, role: "user", content: text };
    this.#abort = abort;
    this.#runId = undefined;
    this.#lastFailedTurn = undefined;
    this.#store.update({
      messages: [...this.#store.read().messages, question],
      queued: this.#turns.map((turn) => ({ id: turn.id, text: turn.text })),
      isStreaming: true,
      status: this.#tokens.peek() ? "thinking" : "connecting",
      error: undefined,
    });
    this.#emit({ type: "message_sent", data: { threadId: this.#store.read().threadId } });
    try {
      await this.#waitOutHold(abort.signal);
      await this.#answer(question, abort.signal);
    } catch (thrown) {
      // After a reset this conversation is gone, and its failure concerns nobody.
      if (generation === this.#generation) this.#showEnd(thrown, question, abort.signal);
    }
    if (generation !== this.#generation) return;
    this.#abort = undefined;
    this.#store.update({ isStreaming: false, status: "idle" });
  }

  /**
   * Right after a failure the token manager repeats it for a moment, to absorb bursts. A message of
   * a person is no burst: it waits for that moment and is then really sent.
   */
  async #waitOutHold(signal: AbortSignal): Promise<void> {
    if (this.#tokens.getSnapshot().state !== "COOLING") return;
    const { failureHoldMs = 1_000 } = this.#options.sessionTokens ?? {};
    const held = new Promise<void>((resolve) => void this.#timers.set(resolve, failureHoldMs));
    await untilAborted(held, signal);
  }

  /** The whole answer to a question: runs of the server, with the page's tools between them. */
  async #answer(question: ConversationMessage, signal: AbortSignal): Promise<void> {
    let draft: AnswerDraft | undefined;
    let body: Partial<ChatRequest> = {
      trigger: "submit-message",
      messages: [
        { id: question.id, role: "user", parts: [{ type: "text", text: question.content }] },
      ],
    };
    while (true) {
      const ran = await this.#run(body, draft, signal);
      draft = ran.draft;
      const pending = pendingCalls(draft);
      if (ran.finishReason !== "tool-calls" || pending.length === 0) break;
      const { outputs, draft: after } = await this.#runTools(pending, draft, signal);
      draft = after;
      body = { messages: [], toolOutputs: outputs };
    }
    this.#showDraft({ ...draft, message: closeMessage(draft.message) }, "now");
    const toolCallCount = callsOf(draft).length;
    const { threadId } = this.#store.read();
    this.#emit({ type: "response_completed", data: { threadId, toolCallCount } });
  }

  async #run(
    body: Partial<ChatRequest>,
    earlier: AnswerDraft | undefined,
    signal: AbortSignal,
  ): Promise<{ draft: AnswerDraft; finishReason: string }> {
    const answer = await this.#transport.send("/chat/", {
      method: "POST",
      body: this.#chatRequest(body),
      signal,
    });
    const threadId = answer.headers.get("x-thread-id");
    this.#runId = answer.headers.get("x-run-id") ?? undefined;
    if (threadId !== null) this.#store.update({ threadId, status: "thinking" });
    let draft = earlier ?? createDraft(`a_${newId()}`);
    let failure: AgentError | undefined;
    const parts = followRun({
      transport: this.#transport,
      answer,
      signal,
      timers: this.#timers,
      random: Math.random,
      onReconnecting: (isReconnecting) =>
        this.#store.update({ status: isReconnecting ? "reconnecting" : "thinking" }),
    });
    for await (const part of parts) {
      // A frame that was under way when the person stopped or left belongs to nobody.
      signal.throwIfAborted();
      if (part.type === "start") {
        this.#runId = part.messageMetadata.runId;
        this.#store.update({ threadId: part.messageMetadata.threadId });
      }
      if (part.type === "data-error") failure = toAgentError(part);
      if (part.type === "error" && failure === undefined) {
        failure = new AgentError("internal_error", part.errorText, { retryable: true });
      }
      if (part.type === "abort") throw stopped;
      if (part.type === "finish") {
        if (failure) throw failure;
        return { draft, finishReason: part.finishReason };
      }
      const before = draft;
      draft = addPart(draft, part, Date.now(), this.#displayName);
      const status = statusAfter(part);
      if (draft !== before || status) {
        const isMoreText = part.type === "text-delta" && before.message.content !== "";
        this.#showDraft(draft, isMoreText ? "next-frame" : "now", status);
      }
    }
    signal.throwIfAborted();
    throw new AgentError("stream_interrupted", "The answer has no end.", { retryable: true });
  }

  #chatRequest(body: Partial<ChatRequest>): ChatRequest {
    const { integrationId, model, customInstructions, user, locale } = this.#options;
    const { tools = [], sourceGroupIdsInclude = [] } = this.#options;
    const { threadId } = this.#store.read();
    return {
      ...body,
      ...(threadId !== undefined && { id: threadId }),
      integrationId,
      ...(model !== undefined && { model }),
      ...(tools.length > 0 && { tools: tools.map(declareTool) }),
      ...(customInstructions !== undefined && { customInstructions }),
      ...(sourceGroupIdsInclude.length > 0 && { sourceGroupIdsInclude }),
      ...(user !== undefined && { user: { ...user } }),
      ...(locale !== undefined && { locale }),
    };
  }

  /** Runs the calls that the server has left to the page, side by side. */
  async #runTools(
    calls: readonly PendingCall[],
    draft: AnswerDraft,
    signal: AbortSignal,
  ): Promise<{ outputs: ToolOutput[]; draft: AnswerDraft }> {
    let current = draft;
    const show = (next: AnswerDraft, status?: AgentStatus): void => {
      current = next;
      this.#showDraft(next, "now", status);
    };
    const outputs = await Promise.all(
      calls.map(async ({ id, name, input }): Promise<ToolOutput> => {
        const tool = this.#options.tools?.find((known) => known.name === name);
        if (!tool) {
          const errorText = `The page has no tool ${name}.`;
          show(endCall(current, id, Date.now(), { status: "error", error: errorText }));
          return { toolCallId: id, errorText };
        }
        if (tool.needsApproval) {
          show(changeCall(current, id, { status: "approval_requested" }), "awaiting-approval");
          const isApproved = await this.#waitForApproval(id, signal);
          this.#emit({
            type: isApproved ? "tool_approved" : "tool_denied",
            data: { toolName: name },
          });
          if (!isApproved) {
            show(endCall(current, id, Date.now(), { status: "denied" }), "thinking");
            return { toolCallId: id, denied: true, reason: "The person refused." };
          }
        }
        show(changeCall(current, id, { status: "executing" }), "tool");
        const { output, change } = await this.#execute(tool, id, input, signal);
        signal.throwIfAborted();
        show(endCall(current, id, Date.now(), change), "thinking");
        return output;
      }),
    );
    return { outputs, draft: current };
  }

  async #execute(
    tool: AnyTool<Context>,
    toolCallId: string,
    input: unknown,
    signal: AbortSignal,
  ): Promise<{ output: ToolOutput; change: { status: "completed" | "error" } }> {
    const startedMs = Date.now();
    const context = (this.#options.context ?? {}) as Context;
    const executed = (status: "completed" | "error"): void => {
      const durationMs = Date.now() - startedMs;
      this.#emit({ type: "tool_executed", data: { toolName: tool.name, status, durationMs } });
    };
    try {
      const args = await checkArguments(tool, input);
      const result = await untilAborted(
        tool.execute(args, context, { signal, toolCallId }),
        signal,
      );
      executed("completed");
      const output = result ?? null;
      return {
        output: { toolCallId, output },
        change: { status: "completed", ...{ result: output } },
      };
    } catch (thrown) {
      signal.throwIfAborted();
      executed("error");
      const errorText = thrown instanceof Error ? thrown.message : String(thrown);
      return {
        output: { toolCallId, errorText },
        change: { status: "error", ...{ error: errorText } },
      };
    }
  }

  #waitForApproval(id: string, signal: AbortSignal): Promise<boolean> {
    const decision = new Promise<boolean>((resolve) => {
      this.#approvals.set(id, resolve);
    });
    return untilAborted(decision, signal).finally(() => this.#approvals.delete(id));
  }

  #showDraft(draft: AnswerDraft, when: "now" | "next-frame", status?: AgentStatus): void {
    const { messages } = this.#store.read();
    const last = messages.at(-1);
    const others = last?.role === "assistant" && !last.isError ? messages.slice(0, -1) : messages;
    this.#store.update({ messages: [...others, draft.message], ...(status && { status }) }, when);
  }

  /** Shows how an answer ended that did not end well. What came of it stays. */
  #showEnd(thrown: unknown, question: ConversationMessage, signal: AbortSignal): void {
    const { messages, threadId } = this.#store.read();
    const last = messages.at(-1);
    const isStop = thrown === stopped || signal.reason === stopped;
    const begun = last?.role === "assistant" && last.isStreaming ? last : undefined;
    const before = begun ? messages.slice(0, -1) : messages;
    if (isStop) {
      const message = closeMessage(begun ?? createDraft(`a_${newId()}`).message, { stopped: true });
      this.#store.update({ messages: [...before, message] });
      return;
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
    this.#lastFailedTurn = { id: question.id, text: question.content };
    this.#store.update({
      messages: [...before, ...(begun && hasContent ? [closeMessage(begun)] : []), error],
      error: failure,
    });
    const { code, detail } = failure;
    this.#emit({ type: "response_error", data: { threadId, error: detail, code } });
  }

  #showAuth(): void {
    const { state, lastError } = this.#tokens.getSnapshot();
    const isSignedOut = isTokenError(lastError) && lastError.status === 401;
    const failed: AuthState = isSignedOut ? "signed-out" : "failed";
    const auth: AuthState =
      state === "READY" || state === "REFRESHING"
        ? "ready"
        : state === "ACQUIRING"
          ? "connecting"
          : lastError
            ? failed
            : "idle";
    if (auth !== this.#store.read().auth) this.#store.update({ auth });
  }

  /** Ends what is under way without a trace in the conversation. */
  #abandon(): void {
    this.#generation += 1;
    for (const turn of this.#turns) turn.done();
    this.#turns = [];
    this.#lastFailedTurn = undefined;
    this.#abort?.abort(stopped);
    this.#abort = undefined;
  }

  #requireHistory(): void {
    if (!this.#options.enableHistory) throw new HistoryDisabledError();
  }

  async #sendForHistory(path: string, method: "GET" | "DELETE" = "GET"): Promise<Response> {
    try {
      return await this.#transport.send(path, { method });
    } catch (thrown) {
      if (!(thrown instanceof AgentError)) throw thrown;
      if (thrown.code === "history_needs_owner") throw new SessionWithoutOwnerError();
      if (thrown.status === 404) throw new ThreadNotFoundError();
      throw thrown;
    }
  }
}

/** A past conversation, as lists show it. */
export interface ListedThread {
  readonly id: string;
  readonly title: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly messageCount: number;
}

interface PendingCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

function callsOf({ message }: AnswerDraft) {
  return (message.blocks ?? []).flatMap((block) =>
    block.type === "tool_calls" ? block.toolCalls : [],
  );
}

/** The calls that the server has left to the page: those without an outcome. */
function pendingCalls(draft: AnswerDraft): PendingCall[] {
  return callsOf(draft)
    .filter(({ status }) => status === "executing")
    .map(({ id, name, arguments: input }) => ({ id, name, input }));
}

function statusAfter(part: StreamPart): AgentStatus | undefined {
  switch (part.type) {
    case "text-delta":
      return "answering";
    case "tool-input-available":
      return part.toolName === "search_knowledge_base" ? "searching" : "tool";
    case "tool-output-available":
    case "tool-output-error":
    case "reasoning-start":
      return "thinking";
    default:
      return undefined;
  }
}

function toAgentError({ data }: Extract<StreamPart, { type: "data-error" }>): AgentError {
  const { code, retryable, retryAfterMs, requestId } = data;
  return new AgentError(code, `The answer ended with ${code}.`, {
    retryable,
    requestId,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** What a promise gives, unless the signal fires first: then the signal's own reason. */
function untilAborted<Value>(
  work: Value | PromiseLike<Value>,
  signal: AbortSignal,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
