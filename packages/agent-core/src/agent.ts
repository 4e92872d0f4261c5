import { AgentError, HistoryDisabledError } from "./agent-error.ts";
import type { AgentEvent, AgentOptions } from "./agent-options.ts";
import {
  type AgentSnapshot,
  emptyConversation,
  type QueuedMessage,
  toAuthState,
} from "./agent-snapshot.ts";
import { findCall } from "./answer-draft.ts";
import { type AnswerLoop, type AnswerStep, createAnswerLoop } from "./answer-loop.ts";
import { lastQuestionAt, showAnswer } from "./answer-view.ts";
import { callHost } from "./call-host.ts";
import { askingBody } from "./chat-body.ts";
import type * as Later from "./later.ts";
import { createLazyPageTools, type LazyPageTools } from "./lazy-page-tools.ts";
import type { ConversationMessage } from "./messages.ts";
import { newId } from "./new-id.ts";
import { createSessionTokenManager } from "./session-tokens/session-token-manager.ts";
import { TokenError } from "./session-tokens/token-error.ts";
import type { GetSessionToken, SessionTokenManager, Timers } from "./session-tokens/types.ts";
import { createRequestFrame, createSnapshotStore, type SnapshotStore } from "./snapshot-store.ts";
import { stopped } from "./stopped.ts";
import { nobody, openTabs, type Tabs } from "./tabs.ts";
import type { ThreadPage, ThreadPageOptions } from "./thread-history.ts";
import type { AnyTool } from "./tools.ts";
import { createTransport, type Transport } from "./transport.ts";
import { untilAborted } from "./until-aborted.ts";

/** Something to answer, which waits until what is before it has ended. */
interface Turn {
  /** What the person wrote; nothing when they wrote nothing. */
  readonly question?: QueuedMessage;
  /** How the conversation stands when the turn comes, and what is done first. */
  readonly begin: () => { readonly step: AnswerStep } & Partial<AgentSnapshot>;
  readonly done: () => void;
}

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
  readonly #tools: LazyPageTools;
  readonly #answers: AnswerLoop;
  #options: AgentOptions<Context>;
  #transport: Transport;
  #turns: Turn[] = [];
  #isDraining = false;
  #abort: AbortController | undefined;
  #runId: string | undefined;
  /** When the present turn began. */
  #startedMs = 0;
  /** Whether a request of the present turn has left. */
  #isSent = false;
  /** What may be tried again. */
  #failed: { readonly question?: QueuedMessage; readonly step: AnswerStep } | undefined;
  #openedTabs: Tabs | undefined;
  #generation = 0;
  /** Counts the people that this page was of. */
  #session = 0;
  /** Counts the conversations that were asked for: the last one to be asked for is shown. */
  #wish = 0;
  #isDisposed = false;
  /** The next question must not overtake the stop of the answer before it. */
  #stopRequest: Promise<void> | undefined;

  constructor(options: AgentOptions<Context>) {
    this.#options = options;
    this.#timers = options.sessionTokens?.timers ?? systemTimers;
    this.#tokens = createSessionTokenManager(
      (context) => (this.#options.getSessionToken as GetSessionToken)(context),
      options.sessionTokens,
    );
    this.#transport = this.#createTransport();
    this.#store = createSnapshotStore<AgentSnapshot>(
      { ...emptyConversation, auth: "idle" },
      createRequestFrame(this.#timers),
    );
    this.#tools = createLazyPageTools({
      tools: () => (this.#options.tools ?? []) as readonly AnyTool<never>[],
      context: () => this.#options.context ?? {},
      findCall: (id) => {
        const message = this.#store.read().messages.at(-1);
        return message?.role === "assistant" ? findCall(message, id) : undefined;
      },
      timers: this.#timers,
      show: (draft, status) => showAnswer(this.#store, draft, "now", status),
      emit: (event) => this.#emit(event),
      onDecided: (id) => this.#tabs().announceCall(this.#store.read().threadId ?? "", id),
    });
    this.#answers = createAnswerLoop({
      store: this.#store,
      timers: this.#timers,
      random: options.sessionTokens?.random ?? Math.random,
      tools: this.#tools,
      tabs: () => this.#tabs(),
      transport: () => this.#transport,
      options: () => this.#options as AgentOptions<never>,
      displayName: (name) => this.#displayName(name),
      emit: (event) => this.#emit(event),
      sinceStart: () => this.#sinceStart(),
      onSend: () => {
        this.#isSent = true;
      },
      onRun: (runId) => {
        this.#runId = runId;
      },
    });
    let wasStreaming = false;
    let lastMessages = this.#store.read().messages;
    this.#store.subscribe(() => {
      const { messages, isStreaming } = this.#store.getSnapshot();
      if (messages !== lastMessages) {
        lastMessages = messages;
        callHost(() => this.#options.onMessagesChange?.(messages));
      }
      if (isStreaming !== wasStreaming) {
        wasStreaming = isStreaming;
        this.#startedMs = Date.now();
        callHost(() => this.#options.onStreamingChange?.(isStreaming));
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
    return this.#ask({ id: `u_${newId()}`, text });
  }

  /**
   * Tries again what failed last: takes the answer up where the connection was lost, or asks the
   * question again. Does nothing when the last answer has not failed.
   */
  async retry(): Promise<void> {
    const { messages, isStreaming } = this.#store.read();
    const last = messages.at(-1);
    if (this.#isDisposed || isStreaming || !last?.isError) return;
    const { question, step } = this.#failed ?? {};
    const asked = messages[lastQuestionAt(messages)];
    // Outputs of tools that have run are sent again; the tools are not run again.
    if (step && !(step.type === "request" && step.body.messages?.length)) {
      return this.#enqueue({ begin: () => ({ step, messages: messages.slice(0, -1) }) });
    }
    if (!asked) return;
    const kept = messages.slice(0, messages.indexOf(asked) + 1);
    // The same id: a server that has the question already does not take it for another one.
    const again = step ?? { type: "request", body: askingBody(asked) };
    return this.#enqueue({
      ...(question && { question }),
      begin: () => ({ step: again, messages: kept }),
    });
  }

  /**
   * Has the last answer written anew, in its place. Does nothing while an answer is being written,
   * and when there is none.
   */
  async regenerate(): Promise<void> {
    const { messages, isStreaming, threadId } = this.#store.read();
    const at = lastQuestionAt(messages);
    const answer = messages.at(-1);
    if (this.#isDisposed || isStreaming || at < 0 || answer?.role !== "assistant") return;
    if (answer.isError || threadId === undefined) return this.retry();
    const body = { trigger: "regenerate-message", messageId: answer.id, messages: [] } as const;
    return this.#enqueue({
      begin: () => ({ step: { type: "request", body }, messages: messages.slice(0, at + 1) }),
    });
  }

  /**
   * Puts another question in the place of one, and has it answered. Everything behind it goes, on
   * the server, too: no model hears of it again. An answer that is being written is stopped.
   *
   * @param messageId A question of this conversation.
   * @returns When the answer has ended.
   * @throws TypeError for an empty text and for an id of no question; {@link AgentError} `disposed`.
   */
  async editMessage(messageId: string, text: string): Promise<void> {
    if (text.trim() === "") throw new TypeError("A message needs a text.");
    if (this.#isDisposed) throw new AgentError("disposed", "This agent was disposed of.");
    const find = (): number =>
      this.#store.read().messages.findIndex(({ id, role }) => id === messageId && role === "user");
    if (find() < 0) throw new TypeError("The conversation has no question of this id.");
    this.stopGeneration();
    return this.#ask({ id: `u_${newId()}`, text }, messageId);
  }

  /** Takes back a message that is still waiting. */
  cancelQueuedMessage(id: string): void {
    const turn = this.#turns.find(({ question }) => question?.id === id);
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
    this.#emit({ type: "generation_stopped", data: { durationMs: this.#sinceStart() } });
    // What was not sent need not be stopped, and without a thread nothing can be in its way.
    if (threadId === undefined || !this.#isSent) return;
    const body = runId === undefined ? {} : { runId };
    this.#stopRequest = this.#transport
      .send(`/chat/${encodeURIComponent(threadId)}/stop/`, { method: "POST", body })
      .then(
        () => undefined,
        () => undefined,
      );
  }

  /** Forgets the conversation and begins a new one. The session stays. */
  resetConversation(): void {
    const { threadId } = this.#store.read();
    this.#abandon();
    this.#store.update(emptyConversation);
    this.#emit({ type: "conversation_reset", data: { threadId } });
  }

  /** Lets a call that waits for approval run. Does nothing for any other; the first word counts. */
  approveToolCall(id: string): void;
  /**
   * Lets it run with other arguments than the model's, where the call `isEditable`.
   *
   * @throws {@link AgentError} `call_not_editable`, or `invalid_arguments` with what does not fit:
   *   the call still waits then.
   */
  approveToolCall(id: string, options: { readonly editedInput?: unknown }): Promise<void>;
  approveToolCall(id: string, options: { readonly editedInput?: unknown } = {}): Promise<void> {
    return this.#tools.approve(id, options.editedInput);
  }

  /**
   * Refuses a call that waits for approval. The model is told, and goes on.
   *
   * @param reason Words for the model, at most 2,000 characters.
   */
  rejectToolCall(id: string, reason?: string): void {
    this.#tools.reject(id, reason);
  }

  /** Changes options without a reset. A new `getSessionToken` counts from the next call on. */
  updateOptions(changes: Partial<AgentOptions<Context>>): void {
    const { baseUrl, projectId } = this.#options;
    this.#options = { ...this.#options, ...changes };
    if (this.#options.baseUrl !== baseUrl || this.#options.projectId !== projectId) {
      this.#transport = this.#createTransport();
      this.#openedTabs?.close();
      this.#openedTabs = undefined;
    }
  }

  getMessages(): ConversationMessage[] {
    return this.#store.read().messages;
  }

  getIsStreaming(): boolean {
    return this.#store.read().isStreaming;
  }

  getThreadId(): string | undefined {
    return this.#store.read().threadId;
  }

  /**
   * Drops the session token, because the person changed, and with it all that was the person's: the
   * conversation, what waits, and what is under way, which rejects with `session_reset`.
   */
  clearSession(): void {
    const { threadId } = this.#store.read();
    this.#session += 1;
    this.#abandon();
    this.#tokens.reset();
    this.#transport = this.#createTransport();
    this.#store.update(emptyConversation);
    this.#emit({ type: "conversation_reset", data: { threadId } });
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
    const ticket = await this.#ofThisPerson(answer.json() as Promise<{ url: string }>);
    return `${this.#transport.resolve(ticket.url)}${page[2] ?? ""}`;
  }

  /**
   * Past conversations of the session's owner, latest first.
   *
   * @throws {@link HistoryDisabledError}, {@link SessionWithoutOwnerError}.
   */
  async listThreads(options: ThreadPageOptions = {}): Promise<ThreadPage> {
    this.#requireHistory();
    return this.#history(({ listThreads }, transport) => listThreads(transport, options));
  }

  /**
   * Loads a past conversation into this one.
   *
   * @throws {@link HistoryDisabledError}, {@link SessionWithoutOwnerError},
   *   {@link ThreadNotFoundError}; {@link AgentError} `superseded` when another conversation was
   *   begun or asked for meanwhile.
   */
  async resumeThread(threadId: string): Promise<void> {
    this.#requireHistory();
    return this.attachThread(threadId);
  }

  /**
   * Takes up a conversation whose id the page has kept, for example over a reload: what was said is
   * shown, an answer that is being written streams on, and what waits for the person or for a tool
   * waits again. Needs no history: in a session without an owner, who knows the id may go on.
   *
   * @returns When the conversation is shown. An answer may still be under way: see `isStreaming`.
   * @throws {@link ThreadNotFoundError}, {@link AgentError} `superseded`, `disposed`.
   */
  async attachThread(threadId: string): Promise<void> {
    if (this.#isDisposed) throw new AgentError("disposed", "This agent was disposed of.");
    this.#wish += 1;
    const wish = this.#wish;
    const [stored, { fromStored, goesOn }] = await this.#history(({ loadThread }, transport) =>
      Promise.all([loadThread(transport, threadId), import("./later.ts")]),
    );
    if (wish !== this.#wish) {
      throw new AgentError("superseded", "Another conversation was asked for meanwhile.");
    }
    this.#abandon();
    const shown = {
      ...emptyConversation,
      messages: fromStored(stored.messages, this.#displayName),
      threadId: stored.thread.id,
    };
    if (goesOn(stored)) {
      void this.#enqueue({ begin: () => ({ ...shown, step: { type: "sync", stored } }) });
    } else {
      this.#store.update(shown);
    }
    this.#tabs();
    this.#emit({ type: "thread_resumed", data: { threadId } });
  }

  /**
   * Deletes a past conversation. If it is the present one, the page is empty afterwards.
   *
   * @throws As {@link resumeThread}.
   */
  async deleteThread(threadId: string): Promise<void> {
    this.#requireHistory();
    await this.#history(({ deleteThread }, transport) => deleteThread(transport, threadId));
    if (this.#store.read().threadId === threadId) this.resetConversation();
    this.#emit({ type: "thread_deleted", data: { threadId } });
  }

  /**
   * Tells the server what the person thinks of an answer. The last word counts; `null` takes it
   * back. The message shows it as its `feedback`.
   *
   * @param messageId An answer of this conversation.
   * @throws {@link AgentError}; `invalid_request` when there is no such answer on the server.
   */
  async sendFeedback(
    messageId: string,
    rating: "up" | "down" | null,
    comment?: string,
  ): Promise<void> {
    const { threadId = "" } = this.#store.read();
    const body = { message_id: messageId, rating, comment };
    await this.#history(({ rateMessage }, transport) => rateMessage(transport, threadId, body));
    const messages = this.#store
      .read()
      .messages.map((message) =>
        message.role === "assistant" && message.id === messageId
          ? { ...message, feedback: rating }
          : message,
      );
    this.#store.update({ messages });
    const runId = undefined; // The run that is going on is another one's.
    this.#emit({ type: "feedback_submitted", data: { threadId, runId, messageId, rating } });
  }

  /** Ends the agent for good. An answer that is being written goes on on the server. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#abandon();
    this.#openedTabs?.close();
    this.#tokens.dispose();
  }

  /** What a request brings, unless the person changes before: then it is nobody's. */
  async #ofThisPerson<Value>(request: Promise<Value>): Promise<Value> {
    const session = this.#session;
    const value = await request;
    if (session === this.#session) return value;
    throw new TokenError("session_reset", "The session was reset.");
  }

  /** Asks for what is stored. The code for it is loaded with the first such call. */
  #history<Value>(
    ask: (history: typeof Later, transport: Transport) => Promise<Value>,
  ): Promise<Value> {
    const transport = this.#transport;
    return this.#ofThisPerson(import("./later.ts").then((history) => ask(history, transport)));
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

  #sinceStart(): number {
    return Math.max(0, Date.now() - this.#startedMs);
  }

  /** Tells of an event, and where in the conversation it was. */
  #emit({ type, data }: AgentEvent): void {
    const { threadId, messages, isStreaming } = this.#store.read();
    const last = messages.at(-1);
    const messageId = last?.role === "assistant" ? last.id : undefined;
    const place = { threadId, ...(isStreaming && { runId: this.#runId, messageId }) };
    const event = { type, data: { ...place, ...data } } as AgentEvent;
    callHost(() => this.#options.onEvent?.(event));
  }

  #ask(question: QueuedMessage, replaces?: string): Promise<void> {
    const message = { id: question.id, role: "user", content: question.text } as const;
    return this.#enqueue(
      {
        question,
        begin: () => {
          const { messages, threadId } = this.#store.read();
          const at = messages.findIndex(({ id }) => id === replaces);
          const replaced = threadId === undefined ? undefined : replaces;
          return {
            step: { type: "request", body: askingBody(message, replaced) },
            messages: [...(at < 0 ? messages : messages.slice(0, at)), message],
          };
        },
      },
      replaces === undefined ? "last" : "next",
    );
  }

  /** Shows what another page has begun in this conversation. */
  #follow(): void {
    void this.#enqueue({ begin: () => ({ step: { type: "sync" } }) }, "next");
  }

  #enqueue(turn: Omit<Turn, "done">, place: "next" | "last" = "last"): Promise<void> {
    return new Promise((done) => {
      if (place === "next") this.#turns.unshift({ ...turn, done });
      else this.#turns.push({ ...turn, done });
      this.#showQueue();
      void this.#drain();
    });
  }

  #queued(): QueuedMessage[] {
    return this.#turns.flatMap(({ question }) => (question ? [question] : []));
  }

  #showQueue(): void {
    this.#store.update({ queued: this.#queued() });
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

  async #takeTurn({ question, begin }: Turn): Promise<void> {
    const generation = this.#generation;
    const abort = new AbortController();
    const { step, ...conversation } = begin();
    this.#abort = abort;
    this.#runId = undefined;
    this.#isSent = false;
    this.#failed = undefined;
    this.#store.update({
      ...conversation,
      queued: this.#queued(),
      isStreaming: true,
      status: this.#tokens.peek() ? "thinking" : "connecting",
      error: undefined,
    });
    if (question) this.#emit({ type: "message_sent", data: { messageId: question.id } });
    try {
      await untilAborted(this.#stopRequest, abort.signal);
      await this.#waitOutHold(abort.signal);
      await this.#answers.answer(step, abort.signal);
    } catch (thrown) {
      // After a reset this conversation is gone, and its failure concerns nobody.
      if (generation === this.#generation) {
        const failed = this.#answers.showEnd(thrown, abort.signal);
        if (failed) this.#failed = { ...(question && { question }), step: failed };
      }
    }
    if (generation !== this.#generation) return;
    this.#abort = undefined;
    this.#store.update({ isStreaming: false, status: "idle" });
    if (this.#answers.hasNews) this.#follow();
  }

  /**
   * Right after a failure the token manager repeats it for a moment, to absorb bursts. A message of
   * a person is no burst: it waits for that moment and is then really sent.
   */
  async #waitOutHold(signal: AbortSignal): Promise<void> {
    const { failureHoldMs = 1_000 } = this.#options.sessionTokens ?? {};
    // Timers may fire a little early.
    while (true) {
      const { state, lastError } = this.#tokens.getSnapshot();
      // What is held for longer, the endpoint asked for: the person is told so, and does not wait.
      if (state !== "COOLING" || (lastError?.retryAfterMs ?? 0) > failureHoldMs) return;
      const held = new Promise<void>((resolve) => void this.#timers.set(resolve, failureHoldMs));
      await untilAborted(held, signal);
    }
  }

  #showAuth(): void {
    const auth = toAuthState(this.#tokens.getSnapshot());
    if (auth !== this.#store.read().auth) this.#store.update({ auth });
  }

  /** Ends what is under way without a trace in the conversation. */
  #abandon(): void {
    this.#generation += 1;
    this.#wish += 1;
    for (const turn of this.#turns) turn.done();
    this.#turns = [];
    this.#failed = undefined;
    this.#abort?.abort(stopped);
    this.#abort = undefined;
    this.#answers.forget();
    const { threadId } = this.#store.read();
    if (threadId !== undefined) this.#openedTabs?.announceLeave(threadId);
  }

  /** The other pages, from the moment that there is a conversation to share with them. */
  #tabs(): Tabs {
    if (this.#options.shareTabs === false || this.#isDisposed) return nobody;
    const isShown = (threadId: string): boolean => threadId === this.#store.read().threadId;
    this.#openedTabs ??= openTabs({
      projectId: this.#options.projectId,
      timers: this.#timers,
      shownThread: () => this.#store.read().threadId,
      callsHeldHere: (threadId) =>
        isShown(threadId) ? this.#answers.held : { decided: [], undecided: [] },
      onRun: (threadId, runId) => {
        if (!isShown(threadId) || !this.#answers.hear(runId)) return;
        if (!this.#isDraining) this.#follow();
      },
      onCall: (threadId, id) => {
        if (isShown(threadId)) this.#tools.letGo(id);
      },
      onLeave: (threadId) => {
        if (isShown(threadId)) this.#answers.hear();
      },
    });
    return this.#openedTabs;
  }

  #requireHistory(): void {
    if (!this.#options.enableHistory) throw new HistoryDisabledError();
  }
}
