import type { StreamPart } from "@valet/protocol";
import type { ToolCallRow } from "../database/schema.ts";
import { stoppedMidway } from "./answer-part.ts";
import { executeCall, framesOf } from "./execute-call.ts";
import type { RunLog } from "./run-log.ts";
import type { RunToolContext } from "./server-tool.ts";
import type { CallChange, ThreadStore } from "./thread-store.ts";
import type { Toolbox } from "./toolbox.ts";

/** What {@link runApprovedCalls} needs. */
export interface ApprovedCallsOptions {
  /** The calls of the message that goes on, in order. */
  readonly calls: readonly ToolCallRow[];
  /** Which of them this request has decided. */
  readonly decided: readonly string[];
  readonly toolbox: Toolbox;
  readonly context: RunToolContext;
  readonly store: ThreadStore;
  readonly emit: (part: StreamPart) => void;
  /** Whether the message has this source already. Asked once for each source. */
  readonly isNewSource: (number: number) => boolean;
  readonly now: () => number;
  readonly log: RunLog;
}

/**
 * Tells what was decided and runs, side by side, what the server may now run: with the arguments on
 * record, and each at most once. That it runs is durable before it does.
 *
 * @returns The calls as they are afterwards.
 * @throws The signal's reason when it aborts.
 */
export async function runApprovedCalls(options: ApprovedCallsOptions): Promise<ToolCallRow[]> {
  const { calls, decided, toolbox, context, emit } = options;
  for (const call of calls) if (decided.includes(call.id)) announce(call, toolbox, emit);
  const work = calls.map(async (call) => {
    if (call.side !== "server" || call.state !== "approved") return call;
    return runApproved(call, options);
  });
  // What an abort has cut short is put down before the run ends.
  await Promise.allSettled(work);
  context.signal.throwIfAborted();
  return Promise.all(work);
}

function announce(call: ToolCallRow, toolbox: Toolbox, emit: (part: StreamPart) => void): void {
  const { id: toolCallId, name: toolName, side, state, edited_input } = call;
  if (state === "denied") emit({ type: "tool-output-denied", toolCallId });
  if (state !== "approved") return;
  // Told again where the arguments are others, and to a page that has waited for the decision.
  if (side === "server" && edited_input === null) return;
  const title = toolbox.titleOf(toolName);
  emit({
    type: "tool-input-available",
    toolCallId,
    toolName,
    input: inputOf(call),
    ...(side === "page" ? { dynamic: true } : {}),
    ...(title === undefined ? {} : { title }),
  });
}

async function runApproved(
  call: ToolCallRow,
  { toolbox, context, store, emit, isNewSource, now, log }: ApprovedCallsOptions,
): Promise<ToolCallRow> {
  let row = call;
  async function take(to: CallChange["to"]): Promise<boolean> {
    const isTaken = await store.changeCalls(call.thread_id, [{ id: call.id, from: row.state, to }]);
    if (isTaken) row = { ...row, ...to };
    return isTaken;
  }
  function end(state: "completed" | "error" | "stopped", outcome: object): CallChange["to"] {
    return { state, output: JSON.stringify(outcome), ended_at_ms: now() };
  }

  context.signal.throwIfAborted();
  const prepared = toolbox.prepare(call.name, inputOf(call));
  if ("errorText" in prepared) {
    // The tool is another one than when the call was made. Nothing has run.
    const { errorText } = prepared;
    if (await take(end("error", { errorText }))) {
      emit({ type: "tool-output-error", toolCallId: call.id, errorText });
    }
    return row;
  }
  // Whoever takes this step runs the call; nobody can take it twice.
  if (!(await take({ state: "running", started_at_ms: now() }))) {
    return { ...call, state: "stopped" };
  }
  try {
    const executed = await executeCall({ call, prepared, context, log });
    await take(end(executed.state, executed.outcome));
    for (const frame of framesOf(call.id, executed, isNewSource)) emit(frame);
  } catch (error) {
    if (context.signal.aborted) await take(end("stopped", { errorText: stoppedMidway }));
    throw error;
  }
  return row;
}

/** What a call runs with. */
function inputOf({ input, edited_input }: ToolCallRow): unknown {
  return JSON.parse(edited_input ?? input);
}
