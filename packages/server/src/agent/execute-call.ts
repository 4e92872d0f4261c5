import type { Source, StreamPart } from "@valet/protocol";
import type { CallOutcome } from "./answer-part.ts";
import { describeModelError } from "./model-failure.ts";
import type { RunLog } from "./run-log.ts";
import {
  type PreparedCall,
  type RunToolContext,
  type ServerToolResult,
  ToolFailure,
} from "./server-tool.ts";
import { untilAborted } from "./until-aborted.ts";

/** A call on the server that has run. */
export interface ExecutedCall {
  readonly state: "completed" | "error";
  readonly outcome: CallOutcome;
  readonly sources: readonly Source[];
}

/** What {@link executeCall} needs. */
export interface ExecuteCallOptions {
  readonly call: { readonly id: string; readonly name: string };
  readonly prepared: PreparedCall;
  readonly context: RunToolContext;
  readonly log: RunLog;
}

/**
 * Runs a call. A tool that fails is an outcome, not an error; its own words stay in the log unless
 * it meant them to be read.
 *
 * @throws The signal's reason when it aborts.
 */
export async function executeCall({
  call,
  prepared,
  context,
  log,
}: ExecuteCallOptions): Promise<ExecutedCall> {
  const { signal } = context;
  let result: ServerToolResult;
  try {
    result = await untilAborted(prepared.run({ ...context, toolCallId: call.id }), signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    log.error({ tool: call.name, error: describeModelError(error) }, "A server tool failed.");
    const errorText = error instanceof ToolFailure ? error.message : "The tool failed.";
    return { state: "error", outcome: { errorText }, sources: [] };
  }
  const { value, forModel, sources } = result;
  const numbers = sources.map(({ number }) => number);
  return {
    state: "completed",
    outcome: {
      value,
      ...(forModel === undefined ? {} : { forModel }),
      ...(numbers.length > 0 ? { sources: numbers } : {}),
    },
    sources,
  };
}

/** The frames that tell how a call ended. `isNewSource` is asked once for each source. */
export function framesOf(
  toolCallId: string,
  { outcome, sources }: ExecutedCall,
  isNewSource: (number: number) => boolean,
): StreamPart[] {
  const { errorText, value } = outcome;
  if (errorText !== undefined) return [{ type: "tool-output-error", toolCallId, errorText }];
  return [
    { type: "tool-output-available", toolCallId, output: value ?? null },
    ...sources
      .filter(({ number }) => isNewSource(number))
      .map(({ sourceId, number, url, title, headingPath, snippet }): StreamPart => {
        const valet = { number, headingPath, snippet, toolCallId };
        return { type: "source-url", sourceId, url, title, providerMetadata: { valet } };
      }),
  ];
}
