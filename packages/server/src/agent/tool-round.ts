import type { JSONValue, LanguageModelV3ToolResultPart } from "@ai-sdk/provider";
import type { StreamPart } from "@valet/protocol";
import type { Answer } from "./answer.ts";
import { describeModelError } from "./model-failure.ts";
import type { RunLog } from "./run-log.ts";
import type { PreparedCall, ServerToolContext } from "./server-tool.ts";
import type { ModelCall } from "./step-content.ts";
import type { Toolbox } from "./toolbox.ts";
import { untilAborted } from "./until-aborted.ts";

/** What became of the calls of one step. */
export interface ToolRound {
  /** Results for the model, in the order of the calls; pending calls have none. */
  readonly results: LanguageModelV3ToolResultPart[];
  /** How many calls wait for the page. */
  readonly pending: number;
  /** How many calls could not be made as the model wrote them. */
  readonly invalid: number;
}

/** What {@link runToolRound} needs. */
export interface ToolRoundOptions {
  readonly calls: readonly ModelCall[];
  readonly toolbox: Toolbox;
  readonly answer: Answer;
  readonly context: ServerToolContext;
  readonly emit: (part: StreamPart) => void;
  /** Whether the message has this source already. Asked once for each source. */
  readonly isNewSource: (number: number) => boolean;
  readonly log: RunLog;
}

/**
 * Runs the server's calls of a step side by side and leaves the page's calls pending. A tool that
 * fails is a result for the model, not the end of the run.
 *
 * @throws The signal's reason when it aborts.
 */
export async function runToolRound(options: ToolRoundOptions): Promise<ToolRound> {
  const { calls, toolbox, answer, emit } = options;
  let pending = 0;
  let invalid = 0;
  const work: Promise<LanguageModelV3ToolResultPart>[] = [];
  for (const call of calls) {
    const checked = toolbox.check(call.name, call.inputText);
    const { id: toolCallId, name: toolName } = call;
    const { input } = checked;
    const dynamic = toolbox.sideOf(toolName) === "server" ? {} : { dynamic: true };
    answer.addCall({ id: toolCallId, name: toolName, input });
    if (checked.kind === "invalid") {
      invalid += 1;
      const { errorText } = checked;
      emit({ type: "tool-input-error", toolCallId, toolName, input, errorText, ...dynamic });
      answer.endCall(toolCallId, "error", { errorText });
      work.push(Promise.resolve(errorResult(call, errorText)));
      continue;
    }
    const title = toolbox.titleOf(toolName);
    emit({
      type: "tool-input-available",
      toolCallId,
      toolName,
      input,
      ...dynamic,
      ...(title === undefined ? {} : { title }),
    });
    if (checked.kind === "page") pending += 1;
    else work.push(runCall(call, checked.prepared, options));
  }
  return { results: await Promise.all(work), pending, invalid };
}

async function runCall(
  call: ModelCall,
  prepared: PreparedCall,
  { answer, context, emit, isNewSource, log }: ToolRoundOptions,
): Promise<LanguageModelV3ToolResultPart> {
  const { id: toolCallId } = call;
  let result: Awaited<ReturnType<PreparedCall["run"]>>;
  try {
    result = await untilAborted(prepared.run(context), context.signal);
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    log.error({ tool: call.name, error: describeModelError(error) }, "A server tool failed.");
    const errorText = "The tool failed.";
    answer.endCall(toolCallId, "error", { errorText });
    emit({ type: "tool-output-error", toolCallId, errorText });
    return errorResult(call, errorText);
  }
  const { value, forModel, sources } = result;
  answer.endCall(toolCallId, "completed", {
    value,
    forModel,
    sources: sources.map(({ number }) => number),
  });
  emit({ type: "tool-output-available", toolCallId, output: value });
  for (const { sourceId, number, url, title, headingPath, snippet } of sources) {
    if (!isNewSource(number)) continue;
    const valet = { number, headingPath, snippet, toolCallId };
    emit({ type: "source-url", sourceId, url, title, providerMetadata: { valet } });
  }
  return {
    type: "tool-result",
    toolCallId,
    toolName: call.name,
    output: { type: "json", value: forModel as JSONValue },
  };
}

function errorResult(call: ModelCall, errorText: string): LanguageModelV3ToolResultPart {
  return {
    type: "tool-result",
    toolCallId: call.id,
    toolName: call.name,
    output: { type: "error-text", value: errorText },
  };
}
