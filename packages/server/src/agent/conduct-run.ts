import type { LanguageModelV3 } from "@ai-sdk/provider";
import type { StreamPart } from "@valet/protocol";
import { type RandomBytes, randomBase62 } from "../base62.ts";
import type { MessageRow } from "../database/schema.ts";
import type { RunBudget } from "../sessions/session-budget.ts";
import { callsName, runAgentLoop } from "./agent-loop.ts";
import { type Answer, createAnswer } from "./answer.ts";
import { readCallOutcome, withoutSaid } from "./answer-part.ts";
import { runApprovedCalls } from "./approved-calls.ts";
import { findCitations } from "./citations.ts";
import { createDraftKeeper, type DraftKeeper } from "./draft-keeper.ts";
import { describeModelError } from "./model-failure.ts";
import { callsOf, type PreparedTurn } from "./prepared-turn.ts";
import { buildPrompt } from "./prompt.ts";
import type { Run } from "./run.ts";
import { endingFrames, endingOf, type RunEnding } from "./run-ending.ts";
import type { RunLog } from "./run-log.ts";
import type { RunStore } from "./run-store.ts";
import { createSourceNumbers, type SourceNumbers } from "./source-numbers.ts";
import { type AnswerToSave, isOpen, type ThreadStore } from "./thread-store.ts";
import { wireThreadId } from "./threads.ts";
import type { Toolbox } from "./toolbox.ts";
import type { Sleep } from "./until-aborted.ts";

/** What {@link conductRun} needs. */
export interface ConductRunOptions {
  readonly run: Run;
  readonly turn: PreparedTurn;
  /** The assistant's message, as it is recorded with the run. */
  readonly messageId: string;
  readonly model: LanguageModelV3;
  readonly system: string;
  /** Whom the session was made for. */
  readonly owner: string | null;
  readonly toolbox: Toolbox;
  readonly store: ThreadStore;
  /** Where the run is recorded already. */
  readonly record: RunStore;
  readonly requestId: string;
  readonly log: RunLog;
  readonly now: () => number;
  readonly random: RandomBytes | undefined;
  readonly sleep: Sleep;
  readonly limits: RunLimits;
  /** What was taken for the run; it is settled before the last frame goes out. */
  readonly budget: RunBudget;
}

/** Bounds of every run. */
export interface RunLimits {
  /** The most calls of the model. @default 8 */
  readonly maxSteps?: number;
  /** The most tokens, prompts and answers together. @default 250_000 */
  readonly maxTokens?: number;
  /** The most that the model may say in one call, in its tokens. @default what it takes for right */
  readonly maxOutputTokens?: number;
  /** How far what is kept may lie behind what was said, in milliseconds. @default 2_000 */
  readonly draftEveryMs?: number;
}

/**
 * Runs a prepared turn from its first frame to its last and keeps what came of it. Never throws:
 * every way to fail is an ending. What was said is stored before the last frame goes out, so that
 * whoever reads the end can build on it.
 */
export async function conductRun(options: ConductRunOptions): Promise<void> {
  const { run, turn, messageId, store, record, requestId, log, now, budget } = options;
  const threadId = turn.thread.id;
  const startedAtMs = now();
  const usage = { inputTokens: 0, outputTokens: 0 };
  const cost = { tokens: 0 };
  const answer = createAnswer({
    threadId,
    messageId,
    parts: turn.goesOn?.parts ?? [],
    partPrefix: run.id.slice(4, 12),
    now,
  });
  const sources = createSourceNumbers({
    threadId,
    known: turn.contents.sources,
    save: (rows) => store.addSources(rows),
  });
  const citations = () => findCitations(answer.text, (number) => sources.get(number) !== undefined);
  const drafts = createDraftKeeper({
    save: () =>
      record.keepDraft(run.id, {
        parts: answer.parts,
        calls: answer.calls,
        cited: citations(),
        usage,
        owedTokens: budget.spent ? budget.spent.modelTokens + cost.tokens : 0,
      }),
    everyMs: options.limits.draftEveryMs ?? 2_000,
    log,
  });
  const send = (part: StreamPart) => {
    answer.observe(part);
    run.push(part);
    drafts.note();
  };

  run.startWriting(messageId, answer.parts.length);
  const messageMetadata = { threadId: wireThreadId(turn.thread), runId: run.id };
  send({ type: "start", messageId, messageMetadata });
  let ending: RunEnding;
  try {
    ending = await loop(options, { answer, sources, usage, cost, send, drafts });
  } catch (error) {
    ending = endingOf(run.signal.aborted ? run.signal.reason : error);
  }
  await drafts.close();
  for (const part of answer.openEnds()) send(part);
  if (!waitsForPage(ending)) answer.stopCalls();
  const cited = citations();
  send({
    type: "message-metadata",
    messageMetadata: { cited: cited.map((number) => `s${number}`), usage },
  });
  // Who stops an answer wants nothing more of it, what waits for a decision included.
  if (ending.kind === "stopped") {
    await store.stopCalls(threadId, now()).catch((error: unknown) => {
      ending = endingOf(error);
    });
  }
  run.startKeeping();
  const end = (answered: AnswerToSave | undefined, spent: RunBudget["spent"]) =>
    record.end({
      id: run.id,
      atMs: now(),
      ending: ending.kind === "failed" ? ending.failure.code : ending.kind,
      usage,
      answer: answered,
      spent,
    });
  try {
    await budget.settle(async (spent) => {
      try {
        await end(answerToSave(options, { answer, cited, ending }), spent);
      } catch (error) {
        ending = endingOf(error);
        // Whatever becomes of the answer, what it has cost was spent.
        await end(undefined, spent);
      }
    });
  } catch (error) {
    ending = endingOf(error);
  }
  logEnding(log, { run, ending, usage, tookMs: now() - startedAtMs });
  run.end(ending, endingFrames(ending, requestId));
}

async function loop(
  options: ConductRunOptions,
  {
    answer,
    sources,
    usage,
    cost,
    send,
    drafts,
  }: {
    readonly answer: Answer;
    readonly sources: SourceNumbers;
    readonly usage: { inputTokens: number; outputTokens: number };
    /** What the call of the model that goes on has cost so far. */
    readonly cost: { tokens: number };
    readonly send: (part: StreamPart) => void;
    readonly drafts: DraftKeeper;
  },
): Promise<RunEnding> {
  const { run, turn, messageId, store, model, toolbox, log, sleep, system, limits, now } = options;
  const earlierCalls = turn.goesOn ? callsOf(turn.contents, messageId) : [];
  const shown = new Set(
    earlierCalls.flatMap(({ output }) => readCallOutcome(output).sources ?? []),
  );
  const isNewSource = (number: number) => !shown.has(number) && Boolean(shown.add(number));
  const emit = (part: StreamPart): void => {
    // After an abort nothing but the ending may follow.
    run.signal.throwIfAborted();
    send(part);
  };
  const context = {
    projectId: turn.thread.project_id,
    threadId: turn.thread.id,
    owner: options.owner,
    sources,
    signal: run.signal,
  };
  const settled = await runApprovedCalls({
    calls: earlierCalls,
    decided: turn.decided ?? [],
    toolbox,
    context,
    store,
    emit,
    isNewSource,
    now,
    log,
  });
  if (settled.some(isOpen)) return { kind: "finished", finishReason: "tool-calls" };
  const calls = [
    ...turn.contents.calls.filter((call) => call.message_id !== messageId),
    ...settled,
  ];
  const usedCallIds = new Set((await store.callIds(turn.thread.id)).map(({ id }) => id));
  const finishReason = await runAgentLoop({
    model,
    toolbox,
    log,
    sleep,
    prompt: buildPrompt({ system, messages: turn.contents.messages, calls }),
    answer,
    context,
    emit,
    isNewSource,
    newApprovalId: () => `apr_${randomBase62(22, options.random)}`,
    // A draft may fail to be kept; this may not.
    saveProgress: () =>
      store.saveAnswer(
        asRow(options, { parts: answer.parts, calls: answer.calls, cited: [], error: null }),
      ),
    async saveEnd(change) {
      await store.changeCalls(turn.thread.id, [change]);
    },
    claimCallId(suggested) {
      const isFit = /^[A-Za-z0-9_-]{1,64}$/.test(suggested) && !usedCallIds.has(suggested);
      const id = isFit ? suggested : `call_${randomBase62(22, options.random)}`;
      usedCallIds.add(id);
      return id;
    },
    onUsage(step) {
      usage.inputTokens += step.inputTokens;
      usage.outputTokens += step.outputTokens;
    },
    takeTokens: (atLeast) => options.budget.takeTokens(atLeast),
    onCost(tokens) {
      cost.tokens = tokens;
    },
    beforePaidCall: drafts.keep,
    afterStep: drafts.keep,
    earlierSteps: earlierSteps(turn),
    ...limits,
  });
  return { kind: "finished", finishReason };
}

/** What each step of the message that goes on has called, for the guard against circles. */
function earlierSteps({ goesOn, contents }: PreparedTurn): string[] {
  if (!goesOn) return [];
  const calls = new Map(callsOf(contents, goesOn.message.id).map((call) => [call.id, call]));
  const steps: { name: string; input: string }[][] = [];
  for (const part of goesOn.parts) {
    if (part.type === "step") steps.push([]);
    const call = part.type === "tool-call" ? calls.get(part.toolCallId) : undefined;
    if (call) steps.at(-1)?.push(call);
  }
  return steps.filter((step) => step.length > 0).map(callsName);
}

function waitsForPage(ending: RunEnding): boolean {
  return ending.kind === "finished" && ending.finishReason === "tool-calls";
}

/** What is kept of a run; nothing of one that was stopped before it said anything. */
function answerToSave(
  options: ConductRunOptions,
  {
    answer,
    cited,
    ending,
  }: {
    readonly answer: Answer;
    readonly cited: readonly number[];
    readonly ending: RunEnding;
  },
): AnswerToSave | undefined {
  const isEmpty = answer.parts.every(({ type }) => type === "step");
  if (isEmpty && ending.kind === "stopped") return undefined;
  const error = ending.kind === "failed" ? ending.failure.code : null;
  const mayGoOn = ending.kind === "failed" || waitsForPage(ending);
  const parts = mayGoOn ? answer.parts : withoutSaid(answer.parts);
  return asRow(options, { parts, calls: answer.calls, cited, error });
}

/** An answer as it stands. */
function asRow(
  { turn, messageId, now }: ConductRunOptions,
  {
    parts,
    calls,
    cited,
    error,
  }: Pick<Answer, "parts" | "calls"> & {
    readonly cited: readonly number[];
    readonly error: MessageRow["error"];
  },
): AnswerToSave {
  return {
    message: {
      id: messageId,
      thread_id: turn.thread.id,
      role: "assistant",
      parts: JSON.stringify(parts),
      cited: JSON.stringify(cited),
      error,
      created_at_ms: turn.goesOn?.message.created_at_ms ?? now(),
    },
    calls,
    ...(turn.replaces === undefined ? {} : { replaces: turn.replaces }),
    atMs: now(),
  };
}

function logEnding(
  log: RunLog,
  {
    run,
    ending,
    ...numbers
  }: {
    readonly run: Run;
    readonly ending: RunEnding;
    readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
    readonly tookMs: number;
  },
): void {
  const about = { run: run.id, session: run.sid, ending: ending.kind, ...numbers };
  if (ending.kind !== "failed") {
    log.info(about, "A run ended.");
    return;
  }
  const { code, cause } = ending.failure;
  const error = cause === undefined ? {} : { error: describeModelError(cause) };
  log.warn({ ...about, code, ...error }, "A run failed.");
}
