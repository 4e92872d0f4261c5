import type { ApprovalDecision, ToolOutput } from "@valet/protocol";
import type { MessageRow, ToolCallRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import {
  type AnswerPart,
  type CallOutcome,
  readAnswerParts,
  readCallOutcome,
} from "./answer-part.ts";
import { callsOf, type PreparedTurn, promptMessages } from "./prepared-turn.ts";
import { type CallChange, isOpen, type ThreadContents, type ThreadStore } from "./thread-store.ts";
import type { OpenedThread } from "./threads.ts";
import type { Toolbox } from "./toolbox.ts";

/** What a request answers to open calls. */
export interface Replies {
  readonly kind: "replies";
  readonly outputs: readonly ToolOutput[];
  readonly approvals: readonly ApprovalDecision[];
  /**
   * Read out of a foreign client's history, which repeats what has been answered long ago, and of
   * which nothing counts but what answers an open call.
   */
  readonly fromHistory: boolean;
}

/** Who answers, and what they may. */
export interface CallAuthority {
  /** The session that answers, for the record. */
  readonly sid: string;
  /** Whether the session may use a tool. */
  readonly mayUse: (toolName: string) => boolean;
  readonly toolbox: Toolbox;
}

/** What {@link prepareReplies} needs. */
export interface PrepareRepliesOptions extends CallAuthority {
  readonly store: ThreadStore;
  readonly place: OpenedThread;
  readonly replies: Replies;
  readonly atMs: number;
}

/**
 * Records decisions and outputs: all of a request or, when one of them does not count, none. What
 * counts is judged by the server's own record of the calls and by nothing that the request says of
 * them.
 *
 * @throws {@link ProblemError} `invalid_request` for calls and approvals that this thread does not
 *   know and for edits that may not be; `tool_not_allowed`; `approval_required` for an output that
 *   nobody has approved; `approval_decided` for a decision that comes too late; `conflict` for
 *   outputs of which none is waited for.
 */
export async function prepareReplies(options: PrepareRepliesOptions): Promise<PreparedTurn> {
  const { store, place, replies } = options;
  const { thread } = place;
  const contents = place.isNew ? nothing : await store.read(thread.id, promptMessages);
  const named = place.isNew ? [] : await store.callIds(thread.id);
  const calls = new Map(contents.calls.map((call) => [call.id, call]));
  const changes: CallChange[] = [];
  /** Calls that the request speaks of, those that it changes first. */
  const meant: string[] = [];
  const decided: string[] = [];

  function change(call: ToolCallRow, to: CallChange["to"]): void {
    changes.push({ id: call.id, from: call.state, to });
    calls.set(call.id, { ...call, ...to });
  }

  for (const [at, decision] of replies.approvals.entries()) {
    const field = `approvals[${at}].approvalId`;
    const { approvalId } = decision;
    const known = named.find(({ approval_id }) => approval_id === approvalId);
    const call = known && calls.get(known.id);
    if (!known && !replies.fromHistory) {
      throw invalid(field, "The agent has not asked for this approval in this thread.");
    }
    if (call?.state === "approval_requested") {
      refuseForeignTool(options, call);
      change(call, toDecision(options, call, { decision, at }));
      decided.push(call.id);
    } else if (call && repeats(call, decision)) meant.push(call.id);
    else if (!replies.fromHistory) throw decidedAlready(field);
  }
  for (const [at, output] of replies.outputs.entries()) {
    const field = `toolOutputs[${at}].toolCallId`;
    const { toolCallId } = output;
    const call = calls.get(toolCallId);
    if (!replies.fromHistory && !named.some(({ id }) => id === toolCallId)) {
      throw invalid(field, "The agent has not made this call in this thread.");
    }
    if (call?.side === "server") {
      if (replies.fromHistory) continue;
      throw invalid(field, "The server runs this call itself.");
    }
    if (!call) continue;
    meant.push(toolCallId);
    if (!isOpen(call)) continue;
    refuseForeignTool(options, call);
    // That a call failed or was refused may be said without anybody's approval; that it was made may not.
    const isMade = !output.denied && output.errorText === undefined;
    if (call.state === "approval_requested" && isMade) {
      throw new ProblemError("approval_required", {
        field,
        detail: `${field}: Send the decision of the person in \`approvals\`, with the output or before it.`,
      });
    }
    change(call, toEnd(options, call, output));
  }

  const changed = changes.map(({ id }) => id);
  const message = messageToGoOn(contents, changed.length > 0 ? changed : meant, changed.length > 0);
  if (!message) throw nothingCounts(replies);
  if (!(await store.changeCalls(thread.id, changes))) throw nothingCounts(replies);
  return {
    thread,
    contents: { ...contents, calls: [...calls.values()] },
    goesOn: { message, parts: readAnswerParts(message.parts) },
    decided,
  };
}

const nothing: ThreadContents = { messages: [], calls: [], sources: [], feedback: [] };

function refuseForeignTool({ mayUse }: CallAuthority, { name }: ToolCallRow): void {
  if (!mayUse(name)) throw new ProblemError("tool_not_allowed");
}

/** The step that a decision takes a call. */
function toDecision(
  { atMs, sid, toolbox }: PrepareRepliesOptions,
  call: ToolCallRow,
  {
    decision: { approved, editedInput, reason },
    at,
  }: { readonly decision: ApprovalDecision; readonly at: number },
): CallChange["to"] {
  const by = { decided_at_ms: atMs, decided_by: sid };
  if (!approved) {
    const outcome: CallOutcome = reason === undefined ? {} : { reason };
    return { ...by, state: "denied", output: JSON.stringify(outcome), ended_at_ms: atMs };
  }
  if (editedInput === undefined) return { ...by, state: "approved" };
  const field = `approvals[${at}].editedInput`;
  if (call.is_editable !== 1) throw invalid(field, "The arguments of this call cannot be changed.");
  const prepared = toolbox.prepare(call.name, editedInput);
  if ("errorText" in prepared) throw invalid(field, prepared.errorText);
  return { ...by, state: "approved", edited_input: JSON.stringify(editedInput) };
}

/** Whether a decision says what was decided before, as a request that is sent again does. */
function repeats(call: ToolCallRow, { approved, editedInput, reason }: ApprovalDecision): boolean {
  if (call.decided_at_ms === null) return false;
  if (!approved) {
    const isSameReason = (readCallOutcome(call.output).reason ?? undefined) === reason;
    return call.state === "denied" && isSameReason;
  }
  const edited = editedInput === undefined ? null : JSON.stringify(editedInput);
  return ["approved", "completed", "error"].includes(call.state) && call.edited_input === edited;
}

function toEnd(
  { atMs, sid }: PrepareRepliesOptions,
  call: ToolCallRow,
  { output, errorText, denied, reason }: ToolOutput,
): CallChange["to"] {
  const end = (state: CallChange["to"]["state"], outcome: CallOutcome) => ({
    state,
    output: JSON.stringify(outcome),
    ended_at_ms: atMs,
  });
  if (denied) {
    const by = call.approval_id === null ? {} : { decided_at_ms: atMs, decided_by: sid };
    return { ...end("denied", reason === undefined ? {} : { reason }), ...by };
  }
  if (errorText !== undefined) return end("error", { errorText });
  return end("completed", { value: output ?? null });
}

/**
 * The message whose calls have changed; or, when nothing has changed because all was said before,
 * the last one, if it has not gone on since.
 */
function messageToGoOn(
  { messages, calls }: ThreadContents,
  ids: readonly string[],
  haveChanged: boolean,
): MessageRow | undefined {
  const call = calls.find(({ id }) => ids.includes(id));
  const message = messages.find(({ id }) => id === call?.message_id);
  if (haveChanged || !message) return message;
  if (message !== messages.at(-1)) return undefined;
  const made = callsOf({ calls }, message.id);
  // Whoever stopped it does not want it to go on for a result that comes late.
  const wasStopped = made.some(({ state }) => state === "stopped");
  const isOver =
    message.error === null && (wasStopped || !endsInCalls(readAnswerParts(message.parts)));
  const isWaiting = made.some(
    ({ side, state }) => isOpen({ state }) && !(side === "server" && state === "approved"),
  );
  return isOver || isWaiting ? undefined : message;
}

/** Whether the last step of a message has made calls, whose results no step has read. */
function endsInCalls(parts: readonly AnswerPart[]): boolean {
  const lastStep = parts.slice(parts.map(({ type }) => type).lastIndexOf("step") + 1);
  return lastStep.some(({ type }) => type === "tool-call");
}

function nothingCounts({ approvals, outputs, fromHistory }: Replies): ProblemError {
  if (approvals.length > 0 && !fromHistory) return decidedAlready("approvals[0].approvalId");
  return new ProblemError("conflict", {
    field: outputs.length > 0 ? "toolOutputs" : "messages",
    detail: "None of these calls waits for an output.",
  });
}

function decidedAlready(field: string): ProblemError {
  return new ProblemError("approval_decided", {
    field,
    detail: `${field}: This was decided before, or the call was stopped.`,
  });
}

function invalid(field: string, why: string): ProblemError {
  return new ProblemError("invalid_request", { field, detail: `${field}: ${why}` });
}
