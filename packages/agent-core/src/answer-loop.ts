import type { ChatRequest, StoredThread } from "@valet/protocol";
import { AgentError } from "./agent-error.ts";
import type { AgentEvent, AgentOptions } from "./agent-options.ts";
import type { AgentSnapshot } from "./agent-snapshot.ts";
import {
  type AnswerDraft,
  callsOf,
  changeCall,
  closeMessage,
  pendingCalls,
  reopen,
} from "./answer-draft.ts";
import {
  lastQuestionAt,
  openAnswer,
  showAnswer,
  showFailure,
  showMessages,
  showStopped,
} from "./answer-view.ts";
import { toChatRequest } from "./chat-body.ts";
import { toFailure } from "./failure.ts";
import type { LazyPageTools } from "./lazy-page-tools.ts";
import type { CallStanding, ToolRound } from "./page-tools.ts";
import { createReconnection } from "./reconnection.ts";
import { readRun } from "./run-reader.ts";
import { type FollowRunOptions, runIsGone } from "./run-stream.ts";
import type { Timers } from "./session-tokens/types.ts";
import { listenForWakeUps } from "./session-tokens/wake-ups.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import { stopped } from "./stopped.ts";
import type { HeldCalls, Tabs } from "./tabs.ts";
import type { Transport } from "./transport.ts";
import { untilAborted } from "./until-aborted.ts";

/** What an answer does next. Each step can be taken again when it failed. */
export type AnswerStep =
  /** Sends a request that begins a run, and reads the run. */
  | { readonly type: "request"; readonly body: Partial<ChatRequest> }
  /** Reads a run that is going on. */
  | { readonly type: "attach"; readonly runId: string }
  /** Works off the calls that the answer waits for. */
  | { readonly type: "calls" }
  /** Goes on from what the server knows. */
  | {
      readonly type: "sync";
      /** The conversation, if it was just loaded. */
      readonly stored?: StoredThread;
      /** Whether it is a failure when the server has no answer. */
      readonly mustAnswer?: boolean;
    };

/** Gets whole answers, and shows them while they come. */
export interface AnswerLoop {
  /**
   * A whole answer: runs of the server, with the page's tools between them.
   *
   * @throws What ended it, unless it ended well; {@link AnswerLoop.showEnd} shows that.
   */
  answer(begin: AnswerStep, signal: AbortSignal): Promise<void>;
  /**
   * Shows how an answer ended that did not end well. What came of it stays.
   *
   * @returns The step to take again; `undefined` when it was stopped.
   */
  showEnd(thrown: unknown, signal: AbortSignal): AnswerStep | undefined;
  /**
   * Hears that another page went on with the conversation in a run; or, without one, that the page
   * that is waited for may have gone.
   *
   * @returns Whether this is news.
   */
  hear(runId?: string): boolean;
  /** Whether something was heard that was not looked at. */
  readonly hasNews: boolean;
  /** The calls that this page has. */
  readonly held: HeldCalls;
  /** Is of no conversation any more. */
  forget(): void;
}

/** What {@link createAnswerLoop} needs. */
export interface AnswerLoopOptions {
  readonly store: SnapshotStore<AgentSnapshot>;
  readonly timers: Timers;
  readonly random: () => number;
  readonly tools: LazyPageTools;
  readonly tabs: () => Tabs;
  /** The transport as it is now. */
  readonly transport: () => Transport;
  /** The agent's options as they are now. */
  readonly options: () => AgentOptions<never>;
  /** What people read for a tool, by its name. */
  readonly displayName: (name: string) => string | undefined;
  readonly emit: (event: AgentEvent) => void;
  /** How long ago the present turn began, in milliseconds. */
  readonly sinceStart: () => number;
  /** Told when a request leaves. */
  readonly onSend: () => void;
  /** Told which run is being read; undefined while none is. */
  readonly onRun: (runId: string | undefined) => void;
}

/** A server that says again and again that a run goes on, and has none, is not asked for ever. */
const maxSyncs = 5;

const isElsewhere = (standing: CallStanding): boolean =>
  standing === "elsewhere" || standing === "undecided";

/** Creates the loop of one agent. */
export function createAnswerLoop({
  store,
  timers,
  random,
  tools,
  tabs,
  transport,
  options,
  displayName,
  emit,
  sinceStart,
  onSend,
  onRun,
}: AnswerLoopOptions): AnswerLoop {
  let draft: AnswerDraft | undefined;
  let present: AnswerStep | undefined;
  /** The last request of the answer. */
  let asked: AnswerStep | undefined;
  /** How often in a row the server was asked what it knows, and nothing was read since. */
  let syncs = 0;
  /** Whether this page began the run that was read last, so that what it calls is this page's. */
  let isOwn = false;
  /** Whether the answer is this page's to count: asked for here, or taken up after a reload. */
  let isCounted = false;
  /** The calls of the answer that another page has taken. */
  let taken: readonly string[] = [];
  const seenRuns = new Set<string>();
  /** Whether the calls of the run that was read last have been handed to this page's tools. */
  let areCallsTaken = false;
  /** Whether calls of another page are waited for. */
  let waitsForOthers = false;
  let hasNews = false;
  let newsRun: string | undefined;
  let wake = (): void => undefined;

  const threadPath = (): string => `/chat/${encodeURIComponent(store.read().threadId ?? "")}`;

  async function run(
    { open, ...how }: Pick<FollowRunOptions, "open" | "isFit" | "waitsForTurn">,
    signal: AbortSignal,
  ): Promise<AnswerStep | undefined> {
    let lostMs: number | undefined;
    const read = await readRun({
      transport: transport(),
      open: (request) =>
        open({
          ...request,
          onSend() {
            onSend();
            request.onSend?.();
          },
        }),
      onOpen({ headers }) {
        const runId = headers.get("x-run-id") ?? "";
        const threadId = headers.get("x-thread-id");
        seenRuns.add(runId);
        // It was heard of while it was found anyway.
        if (newsRun === runId) hasNews = false;
        onRun(runId);
        if (threadId === null) return;
        store.update({ threadId, status: "thinking" });
        if (isOwn) tabs().announceRun(threadId, runId);
      },
      ...how,
      findEarlier,
      signal,
      timers,
      random,
      displayName,
      onStart(ids) {
        syncs = 0;
        onRun(ids.runId);
        store.update({ threadId: ids.threadId });
      },
      show(next, when, status) {
        draft = next;
        showAnswer(store, next, when, status);
      },
      onReconnecting(isReconnecting) {
        store.update({ status: isReconnecting ? "reconnecting" : "thinking" });
        if (isReconnecting) lostMs ??= Date.now();
        else {
          const durationMs = Math.max(0, Date.now() - (lostMs ?? Date.now()));
          lostMs = undefined;
          emit({ type: "stream_reconnected", data: { durationMs } });
        }
      },
    });
    draft = read.draft;
    const isWaiting = read.finishReason === "tool-calls" && pendingCalls(draft).length > 0;
    return isWaiting ? { type: "calls" } : undefined;
  }

  function findEarlier(messageId: string): AnswerDraft | undefined {
    if (draft?.message.id === messageId) return draft;
    const { messages } = store.read();
    const shown = messages.slice(lastQuestionAt(messages) + 1).find(({ id }) => id === messageId);
    return shown?.role === "assistant" ? reopen(shown) : undefined;
  }

  async function request(
    body: Partial<ChatRequest>,
    signal: AbortSignal,
  ): Promise<AnswerStep | undefined> {
    isOwn = true;
    areCallsTaken = false;
    isCounted = true;
    // What cannot be loaded now is loaded again when it is needed.
    if (options().tools?.length) void tools.load().catch(() => undefined);
    try {
      return await run(
        {
          open: async ({ signal: attempt, onSend: onLeave }) =>
            transport().send("/chat/", {
              method: "POST",
              body: await toChatRequest(body, options(), store.read().threadId),
              ...(attempt && { signal: attempt }),
              ...(onLeave && { onSend: onLeave }),
            }),
          waitsForTurn: body.toolOutputs !== undefined || body.approvals !== undefined,
        },
        signal,
      );
    } catch (thrown) {
      const { code, field } = Object(thrown) as Partial<AgentError>;
      // What was to be replaced never reached the server: there is nothing in the way.
      if (code === "invalid_request" && field === "messageId" && body.messageId !== undefined) {
        const { messageId: _, ...plain } = body;
        return { type: "request", body: plain };
      }
      const refused = /^approvals\[(\d+)\]\.editedInput$/.exec(field ?? "")?.[1];
      if (refused !== undefined) return withoutEdit(body, Number(refused), thrown);
      // It has been answered, by a run that this page has not seen the end of, or by another page.
      if (thrown === runIsGone || (thrown instanceof AgentError && code === "conflict")) {
        return { type: "sync", mustAnswer: true };
      }
      throw thrown;
    }
  }

  /** Arguments that do not fit are asked for again; all else of the request is sent without them. */
  function withoutEdit(body: Partial<ChatRequest>, at: number, thrown: unknown): AnswerStep {
    const { approvals = [], toolOutputs = [] } = body;
    const kept = approvals.filter((_, index) => index !== at);
    const { approvalId } = approvals[at] ?? {};
    const call = draft && callsOf(draft).find((one) => one.approvalId === approvalId);
    if (!draft || !call) throw thrown;
    const error = (thrown as AgentError).message;
    draft = changeCall(draft, call.id, { status: "approval_requested", error });
    if (kept.length === 0 && toolOutputs.length === 0) return { type: "calls" };
    const { approvals: _, ...others } = body;
    return { type: "request", body: { ...others, ...(kept.length > 0 && { approvals: kept }) } };
  }

  async function attach(runId: string, signal: AbortSignal): Promise<AnswerStep | undefined> {
    try {
      return await run(
        {
          open: (request) => transport().send(`${threadPath()}/stream/`, request),
          isFit: ({ headers }) => headers.get("x-run-id") === runId,
        },
        signal,
      );
    } catch (thrown) {
      // It ended before, and perhaps another one has begun.
      if (thrown === runIsGone) return { type: "sync" };
      throw thrown;
    }
  }

  async function workOff(signal: AbortSignal): Promise<AnswerStep> {
    await untilAborted(tools.load(), signal);
    const { threadId = "" } = store.read();
    const held = isOwn
      ? { decided: taken, undecided: [] }
      : await untilAborted(tabs().callsHeldElsewhere(threadId), signal);
    // Another page went on with the conversation before this one had looked at its calls.
    if (!draft || hasNews) return { type: "sync" };
    const calls = pendingCalls(draft).map(({ id }) => id);
    const standings = new Map(calls.map((id) => [id, standingOf(id, held)]));
    waitsForOthers = [...standings.values()].some(isElsewhere);
    // A page that was closed says nothing: who comes back to this one looks whether it is there.
    const stopListening = listenForWakeUps(() => void hear());
    try {
      const working = tools.run(draft, signal, (id) => standings.get(id) ?? "returned");
      areCallsTaken = true;
      const worked = await working;
      draft = worked.draft;
      return await afterCalls(calls, worked, signal);
    } finally {
      stopListening();
      waitsForOthers = false;
    }
  }

  /** Tells the server what came of this page's calls; what came of others', other pages tell. */
  async function afterCalls(
    calls: readonly string[],
    { settled, outputs, approvals }: ToolRound,
    signal: AbortSignal,
  ): Promise<AnswerStep> {
    if (settled.length === 0) {
      waitsForOthers = true;
      await untilNews(signal);
      return { type: "sync" };
    }
    taken = calls.filter((id) => !settled.includes(id));
    const body: Partial<ChatRequest> = {
      messages: [],
      ...(outputs.length > 0 && { toolOutputs: outputs }),
      ...(approvals.length > 0 && { approvals }),
    };
    return { type: "request", body };
  }

  function standingOf(id: string, held: HeldCalls): CallStanding {
    if (held === "all") return "undecided";
    if (held.decided.includes(id)) return "elsewhere";
    if (held.undecided.includes(id)) return "undecided";
    return isOwn ? "here" : "returned";
  }

  async function untilNews(signal: AbortSignal): Promise<void> {
    if (hasNews) return;
    const news = new Promise<void>((resolve) => {
      wake = resolve;
    });
    await untilAborted(news, signal);
  }

  function hear(runId?: string): boolean {
    if (runId === undefined ? !waitsForOthers : seenRuns.has(runId)) return false;
    newsRun = runId;
    hasNews = true;
    // What waits for a decision or for another page looks again; what runs here runs to its end.
    tools.letGo();
    wake();
    return true;
  }

  async function sync(
    { stored, mustAnswer = false }: Extract<AnswerStep, { type: "sync" }>,
    signal: AbortSignal,
  ): Promise<AnswerStep | undefined> {
    isOwn = false;
    hasNews = false;
    taken = [];
    draft = undefined;
    syncs += 1;
    if (syncs > maxSyncs) throw lost();
    if (stored) isCounted = true;
    const { fromStored } = await untilAborted(import("./later.ts"), signal);
    const { messages, active_run_id } = stored ?? (await load(signal));
    const shown = fromStored(messages, displayName);
    const last = shown.at(-1);
    // From here on trying again is asking again, not looking again.
    present = asked ?? present;
    // What was read of an answer that the server has not kept stays to be read.
    if (mustAnswer && active_run_id === null && last?.role !== "assistant") throw lost();
    // Whoever waits for the answer is told of its failure as of any other.
    showMessages(store, mustAnswer && last?.isError ? shown.slice(0, -1) : shown);
    if (active_run_id !== null) return { type: "attach", runId: active_run_id };
    if (last?.isError && mustAnswer) {
      throw new AgentError(last.errorCode ?? "internal_error", "The answer failed.", {
        retryable: true,
      });
    }
    if (last?.role !== "assistant") return undefined;
    const open = reopen(last);
    if (last.isError || pendingCalls(open).length === 0) return undefined;
    draft = open;
    showAnswer(store, open, "now");
    return { type: "calls" };
  }

  async function load(signal: AbortSignal): Promise<StoredThread> {
    const reconnection = createReconnection({ timers, random });
    const { loadThread } = await import("./later.ts");
    while (true) {
      try {
        const { threadId = "" } = store.read();
        return await untilAborted(loadThread(transport(), threadId), signal);
      } catch (thrown) {
        signal.throwIfAborted();
        const { retryable, retryAfterMs } = Object(thrown) as Partial<AgentError>;
        if (!retryable || !(await reconnection.next(signal, retryAfterMs))) throw thrown;
        store.update({ status: "reconnecting" });
      }
    }
  }

  function take(step: AnswerStep, signal: AbortSignal): Promise<AnswerStep | undefined> {
    switch (step.type) {
      case "request":
        return request(step.body, signal);
      case "attach":
        return attach(step.runId, signal);
      case "calls":
        return workOff(signal);
      case "sync":
        return sync(step, signal);
    }
  }

  return {
    async answer(begin, signal) {
      isCounted = false;
      asked = undefined;
      syncs = 0;
      for (let step: AnswerStep | undefined = begin; step; step = await take(step, signal)) {
        signal.throwIfAborted();
        present = step;
        if (step.type === "request") asked = step;
      }
      const toolCallCount = draft ? callsOf(draft).length : 0;
      const written = openAnswer(store);
      if (written) showAnswer(store, { message: closeMessage(written), startedMs: {} }, "now");
      draft = undefined;
      if (!isCounted) return;
      emit({ type: "response_completed", data: { toolCallCount, durationMs: sinceStart() } });
    },
    showEnd(thrown, signal) {
      tools.letGo();
      draft = undefined;
      if (thrown === stopped || signal.reason === stopped) {
        showStopped(store);
        return undefined;
      }
      const failure = toFailure(thrown);
      const messageId = openAnswer(store)?.id;
      showFailure(store, failure);
      const { code, detail: error } = failure;
      const data = { messageId, error, code, durationMs: sinceStart() };
      if (isCounted) emit({ type: "response_error", data });
      return present;
    },
    hear,
    get hasNews() {
      return hasNews;
    },
    get held() {
      return isOwn && !areCallsTaken ? "all" : tools.held;
    },
    forget() {
      draft = undefined;
      present = undefined;
      asked = undefined;
      isOwn = false;
      hasNews = false;
      taken = [];
      seenRuns.clear();
      tools.forget();
    },
  };
}

function lost(): AgentError {
  return new AgentError("stream_interrupted", "The server has no answer.", { retryable: true });
}
