import type { LanguageModelV3ToolResultPart } from "@ai-sdk/provider";
import type { StreamPart } from "@valet/protocol";
import type { Answer } from "./answer.ts";
import { toToolResult } from "./call-result.ts";
import { executeCall, framesOf } from "./execute-call.ts";
import type { RunLog } from "./run-log.ts";
import type { RunToolContext } from "./server-tool.ts";
import type { ModelCall } from "./step-content.ts";
import type { CallChange } from "./thread-store.ts";
import type { CheckedCall, Toolbox } from "./toolbox.ts";

/** What became of the calls of one step. */
export interface ToolRound {
  /** Results for the model, in the order of the calls; open calls have none. */
  readonly results: LanguageModelV3ToolResultPart[];
  /** How many calls wait for the page or for a person. */
  readonly pending: number;
  /** How many calls could not be made as the model wrote them. */
  readonly invalid: number;
}

/** What {@link runToolRound} needs. */
export interface ToolRoundOptions {
  readonly calls: readonly ModelCall[];
  readonly toolbox: Toolbox;
  readonly answer: Answer;
  readonly context: RunToolContext;
  readonly emit: (part: StreamPart) => void;
  /** Whether the message has this source already. Asked once for each source. */
  readonly isNewSource: (number: number) => boolean;
  readonly newApprovalId: () => string;
  /** Makes the answer durable as it stands: before a call runs that may change something. */
  readonly saveProgress: () => Promise<void>;
  /** Makes durable how such a call ended. */
  readonly saveEnd: (change: CallChange) => Promise<void>;
  readonly log: RunLog;
}

/**
 * Runs the server's calls of a step side by side; what the page has to run, and what a person has
 * to approve, stays open. A tool that fails is a result for the model, not the end of the run.
 *
 * @throws The signal's reason when it aborts.
 */
export async function runToolRound(options: ToolRoundOptions): Promise<ToolRound> {
  const { calls, toolbox, answer, emit } = options;
  let pending = 0;
  let invalid = 0;
  let haveEffects = false;
  const work: (() => Promise<LanguageModelV3ToolResultPart>)[] = [];
  for (const call of calls) {
    const checked = toolbox.check(call.name, call.inputText);
    const { id: toolCallId, name: toolName } = call;
    const { input } = checked;
    const side = toolbox.sideOf(toolName) ?? "page";
    const dynamic = side === "server" ? {} : { dynamic: true };
    const common = { id: toolCallId, name: toolName, input, side } as const;
    if (checked.kind === "invalid") {
      invalid += 1;
      const { errorText } = checked;
      answer.addCall({ ...common, state: "pending" });
      emit({ type: "tool-input-error", toolCallId, toolName, input, errorText, ...dynamic });
      answer.endCall(toolCallId, "error", { errorText });
      work.push(async () => resultOf(answer, toolCallId));
      continue;
    }
    const title = toolbox.titleOf(toolName);
    const available = {
      type: "tool-input-available",
      toolCallId,
      toolName,
      input,
      ...dynamic,
      ...(title === undefined ? {} : { title }),
    } as const;
    if (await needsApproval(checked)) {
      const approvalId = options.newApprovalId();
      const { isEditable } = checked;
      pending += 1;
      answer.addCall({ ...common, state: "approval_requested", approvalId, isEditable });
      emit(available);
      const editable = isEditable ? { isEditable } : {};
      emit({ type: "tool-approval-request", approvalId, toolCallId, ...editable });
      continue;
    }
    if (checked.kind === "page") {
      pending += 1;
      answer.addCall({ ...common, state: "pending" });
    } else {
      const { hasEffects } = checked;
      haveEffects ||= hasEffects;
      answer.addCall({ ...common, state: "running", hasEffects });
      work.push(() => runCall(call, checked, options));
    }
    emit(available);
  }
  if (haveEffects) await options.saveProgress();
  return { results: await Promise.all(work.map((run) => run())), pending, invalid };
}

async function needsApproval(checked: Exclude<CheckedCall, { kind: "invalid" }>): Promise<boolean> {
  return checked.kind === "page" ? checked.needsApproval : checked.prepared.needsApproval();
}

async function runCall(
  call: ModelCall,
  { prepared, hasEffects }: Extract<CheckedCall, { kind: "server" }>,
  { answer, context, emit, isNewSource, saveEnd, log }: ToolRoundOptions,
): Promise<LanguageModelV3ToolResultPart> {
  // Between its record and its run somebody may have stopped the answer.
  context.signal.throwIfAborted();
  const executed = await executeCall({ call, prepared, context, log });
  const { state, outcome } = executed;
  answer.endCall(call.id, state, outcome);
  const { output, ended_at_ms } = rowOf(answer, call.id);
  if (hasEffects) {
    await saveEnd({ id: call.id, from: "running", to: { state, output, ended_at_ms } });
  }
  for (const frame of framesOf(call.id, executed, isNewSource)) emit(frame);
  return resultOf(answer, call.id);
}

function resultOf(answer: Answer, id: string): LanguageModelV3ToolResultPart {
  return toToolResult(rowOf(answer, id));
}

function rowOf(answer: Answer, id: string) {
  const row = answer.calls.find((call) => call.id === id);
  if (!row) throw new Error("The answer does not know the call.");
  return row;
}
