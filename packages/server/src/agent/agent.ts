import { createHash } from "node:crypto";
import { type RandomBytes, randomBase62 } from "../base62.ts";
import type { ThreadRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { SessionPrincipal } from "../sessions/principal.ts";
import { type RunBudget, type SessionBudget, usedSession } from "../sessions/session-budget.ts";
import { type ChatInput, readTurn } from "./chat-request.ts";
import { conductRun, type RunLimits } from "./conduct-run.ts";
import type { Models } from "./models/registry.ts";
import { type Run, recallRun } from "./run.ts";
import {
  endingFrames,
  endingOf,
  type RunEnding,
  RunStopped,
  recordedFailure,
} from "./run-ending.ts";
import type { RunLog } from "./run-log.ts";
import type { NewRun, RunStore } from "./run-store.ts";
import type { Runs } from "./runs.ts";
import type { ServerTool } from "./server-tool.ts";
import { createSystemPrompt } from "./system-prompt.ts";
import type { ThreadStore } from "./thread-store.ts";
import { type Threads, wireThreadId } from "./threads.ts";
import { createToolbox, type Toolbox } from "./toolbox.ts";
import { prepareTurn, type Turn } from "./turns.ts";
import { type Sleep, sleepFor } from "./until-aborted.ts";

/** The agent: what a session token can ask for. */
export interface Agent {
  /**
   * Begins a run, or finds it again: a request that was sent twice, because its first answer got
   * lost, follows the one run that it began.
   *
   * @throws {@link ProblemError} for a request that cannot be answered; nothing is kept of it.
   */
  chat(
    session: SessionPrincipal,
    input: ChatInput,
    context: { readonly requestId: string; readonly log: RunLog },
  ): Promise<StartedRun>;
  /**
   * The run to follow in a thread: the one going on, or the one that `last` was read of, while it
   * is remembered and has more to tell. Of a run that failed its end is told however long ago that
   * was, also when a server was killed in the middle of it.
   *
   * @throws {@link ProblemError} `not_found`.
   */
  attach(
    session: SessionPrincipal,
    threadId: string,
    last: { readonly runId: string; readonly seq: number } | undefined,
    context: { readonly requestId: string },
  ): Promise<{ readonly run: Run; readonly fromSeq: number } | undefined>;
  /**
   * Stops a thread's run and resolves when it has ended.
   *
   * @param runId Which run is meant. Left out: whichever is going on, and where none is, the calls
   *   that wait for the page or a person.
   * @returns Whether there was one to stop.
   * @throws {@link ProblemError} `not_found`.
   */
  stop(session: SessionPrincipal, threadId: string, runId?: string): Promise<boolean>;
  /** Interrupts all runs and resolves when their last frames are written. */
  close(): Promise<void>;
}

/** A run, and the id by which the client knows its thread. */
export interface StartedRun {
  readonly run: Run;
  readonly threadId: string;
}

/** What {@link createAgent} needs. */
export interface AgentOptions {
  readonly models: Models;
  readonly tools: readonly ServerTool[];
  readonly threads: Threads;
  readonly store: ThreadStore;
  /** The record of all runs. */
  readonly record: RunStore;
  readonly runs: Runs;
  /** What sessions may use up. */
  readonly budget: SessionBudget;
  readonly integrations: {
    exists(projectId: string, id: string): Promise<boolean>;
    /** Whether it is switched off. @default never */
    isOff?(id: string): boolean;
  };
  readonly limits?: RunLimits;
  readonly now?: () => number;
  readonly random?: RandomBytes;
  readonly sleep?: Sleep;
}

/** Creates the agent of one server. */
export function createAgent({
  models,
  tools,
  threads,
  store,
  record,
  runs,
  integrations,
  limits = {},
  now = Date.now,
  budget,
  random,
  sleep = sleepFor,
}: AgentOptions): Agent {
  async function checkIntegration(session: SessionPrincipal, id: string | undefined) {
    if (id === undefined || id === session.integrationId) return;
    if (session.integrationId !== null) throw new ProblemError("integration_mismatch");
    if (await integrations.exists(session.projectId, id)) {
      if (integrations.isOff?.(id)) throw new ProblemError("integration_disabled");
      return;
    }
    throw new ProblemError("invalid_request", {
      field: "integrationId",
      detail: "integrationId: The project has no integration of this id.",
    });
  }

  /** Ends a run in the record that has not begun to be conducted. */
  async function forget(id: string, ending: RunEnding): Promise<void> {
    const code = ending.kind === "failed" ? ending.failure.code : ending.kind;
    const usage = { inputTokens: 0, outputTokens: 0 };
    // A database that is away has it at the next start.
    await record.end({ id, atMs: now(), ending: code, usage }).catch(() => undefined);
  }

  return {
    async chat(session, input, { requestId, log }) {
      const turn = readTurn(input, () => `msg_${randomBase62(22, random)}`);
      const model = models.resolve(input.model, session.policy.allow?.models);
      await checkIntegration(session, input.integrationId);
      refuseSourceGroups(input);
      const mayUse = toolRights(tools, session);
      const toolbox = fillToolbox(tools, mayUse, input);
      const firstMessageId = turn.kind === "question" ? turn.messageId : undefined;
      const place = await threads.open(session, input.id, firstMessageId);
      const threadId = wireThreadId(place.thread);
      const key = keyOf(turn);
      const known = key === undefined ? undefined : runs.findByKey(place.thread.id, key);
      // The same request again follows its run; after a failure it is a new attempt.
      if (known && !mayTryAgain(turn, known)) return { run: known, threadId };
      // A run that was told to end is on its way out: whoever stopped it may go on at once.
      const going = runs.active(place.thread.id);
      if (going?.signal.aborted) await going.whenEnded;
      // Begun before anything is waited for: the same request again must find this run.
      const run = runs.begin({
        threadId: place.thread.id,
        session,
        ...(key === undefined ? {} : { key }),
        isNewTurn: turn.kind !== "replies",
      });
      let taken: RunBudget | undefined;
      try {
        // Answers to calls go on with a turn that was paid for.
        taken = await budget.begin(session, turn.kind !== "replies");
        const { sid, owner } = session;
        const answerId = `msg_${randomBase62(22, random)}`;
        const newRun = (thread: ThreadRow, messageId: string, replaces?: string): NewRun => ({
          id: run.id,
          project_id: thread.project_id,
          thread_id: thread.id,
          message_id: messageId,
          replaces: replaces ?? null,
          sid,
          owner,
          until_s: usedSession(session).untilS,
          started_at_ms: now(),
        });
        const prepared = await prepareTurn({
          store,
          place,
          turn,
          newRun: (thread) => newRun(thread, answerId),
          now,
          sid,
          mayUse,
          toolbox,
        });
        const { thread, replaces, isRecorded = false } = prepared;
        const messageId = prepared.goesOn?.message.id ?? answerId;
        if (!isRecorded) await record.begin(newRun(thread, messageId, replaces));
        const system = createSystemPrompt(input);
        void conductRun({
          run,
          turn: prepared,
          messageId,
          record,
          model,
          system,
          owner,
          toolbox,
          store,
          requestId,
          log,
          now,
          random,
          sleep,
          limits,
          budget: taken,
        });
      } catch (error) {
        await taken?.giveBack();
        const ending = endingOf(error);
        // It may be recorded already, when what failed came behind that.
        if (!(error instanceof ProblemError)) await forget(run.id, ending);
        // Ends it for whoever follows it already; the request itself is answered with the problem.
        run.end(ending, endingFrames(ending, requestId));
        throw error;
      }
      return { run, threadId };
    },

    async attach(session, threadId, last, { requestId }) {
      const { id } = await threads.find(session, threadId);
      const known = last && runs.find(id, last.runId);
      if (known && last) {
        const fromSeq = last.seq + 1;
        return known.ending && fromSeq >= known.length ? undefined : { run: known, fromSeq };
      }
      const run = runs.active(id);
      if (run) return { run, fromSeq: 0 };
      const row = last && (await record.find(id, last.runId));
      const failure = row && recordedFailure(row.ending);
      if (!row || !failure) return undefined;
      const fromSeq = last.seq + 1;
      const ending = { kind: "failed", failure } as const;
      const frames = endingFrames(ending, requestId);
      const { sid } = row;
      return {
        run: recallRun({ id: row.id, threadId: id, sid, ending, fromSeq, frames }),
        fromSeq,
      };
    },

    async stop(session, threadId, runId) {
      const { id } = await threads.find(session, threadId);
      const run = runs.active(id);
      // Between two runs of a message its open calls are what there is to stop.
      if (!run && runId === undefined) return (await store.stopCalls(id, now())) > 0;
      if (!run || (runId !== undefined && run.id !== runId)) return false;
      run.abort(new RunStopped());
      await run.whenEnded;
      return true;
    },

    close: () => runs.close(),
  };
}

/** What makes two requests the same one: for answers to calls, all that they say. */
function keyOf(turn: Turn): string | undefined {
  switch (turn.kind) {
    case "question":
      if (turn.replaces === undefined) return `question ${turn.messageId}`;
      return `question ${turn.messageId} for ${turn.replaces}: ${turn.text}`;
    case "replies": {
      const { outputs, approvals } = turn;
      const said = [...outputs, ...approvals].map((reply) => JSON.stringify(reply)).sort();
      return `replies ${createHash("sha256").update(JSON.stringify(said)).digest("base64url")}`;
    }
    case "regenerate":
      return turn.messageId === undefined ? undefined : `regenerate ${turn.messageId}`;
  }
}

/** Whether a request that was sent before is a wish for another attempt now. */
function mayTryAgain({ kind }: Turn, { ending }: Run): boolean {
  // Who stops a new answer before its first word has the old one still, and may ask once more.
  return ending?.kind === "failed" || (ending?.kind === "stopped" && kind === "regenerate");
}

/** Which tools a session may use: it can only narrow them, by name and by having no integration. */
function toolRights(
  serverTools: readonly ServerTool[],
  { policy, integrationId }: SessionPrincipal,
): (name: string) => boolean {
  const allowed = policy.allow?.tools;
  const withheld = new Set(
    serverTools
      .filter(({ withoutIntegration }) => integrationId === null && !withoutIntegration)
      .map(({ name }) => name),
  );
  return (name) => !withheld.has(name) && (!allowed || allowed.includes(name));
}

/** The tools that the session leaves to the run. */
function fillToolbox(
  serverTools: readonly ServerTool[],
  mayUse: (name: string) => boolean,
  { tools = [] }: ChatInput,
): Toolbox {
  const names = new Set(serverTools.map(({ name }) => name));
  for (const [at, { name }] of tools.entries()) {
    if (names.has(name)) {
      const field = `tools[${at}].name`;
      throw new ProblemError("invalid_request", {
        field,
        detail: `${field}: There is a tool of this name already.`,
      });
    }
    names.add(name);
  }
  return createToolbox(
    serverTools.filter(({ name }) => mayUse(name)),
    tools
      .filter(({ name }) => mayUse(name))
      .map(({ needsApproval, ...tool }) => ({
        ...tool,
        ...(needsApproval === undefined ? {} : { needsApproval }),
      })),
  );
}

/** A source group that is not there cannot be searched, and must not widen to everything. */
function refuseSourceGroups({ sourceGroupIdsInclude = [] }: ChatInput): void {
  if (sourceGroupIdsInclude.length === 0) return;
  throw new ProblemError("invalid_request", {
    field: "sourceGroupIdsInclude[0]",
    detail: "sourceGroupIdsInclude[0]: The project has no source group of this id.",
  });
}
