import type { LanguageModelV3, LanguageModelV3Prompt } from "@ai-sdk/provider";
import type { FinishReason, StreamPart } from "@valet/protocol";
import type { Answer } from "./answer.ts";
import { type BudgetedStepOptions, stepWithinBudget } from "./budgeted-step.ts";
import type { TokenUsage } from "./model-step.ts";
import { RunFailure } from "./run-ending.ts";
import type { RunLog } from "./run-log.ts";
import type { RunToolContext } from "./server-tool.ts";
import { runToolRound, type ToolRoundOptions } from "./tool-round.ts";
import type { Toolbox } from "./toolbox.ts";
import type { Sleep } from "./until-aborted.ts";

/** What {@link runAgentLoop} needs. */
export interface AgentLoopOptions
  extends Pick<BudgetedStepOptions, "takeTokens" | "onCost" | "beforePaidCall" | "maxOutputTokens">,
    Pick<ToolRoundOptions, "newApprovalId" | "saveProgress" | "saveEnd"> {
  readonly model: LanguageModelV3;
  readonly prompt: LanguageModelV3Prompt;
  readonly toolbox: Toolbox;
  readonly answer: Answer;
  readonly context: RunToolContext;
  /** Sends a frame. Throws the signal's reason once it has aborted. */
  readonly emit: (part: StreamPart) => void;
  readonly isNewSource: (number: number) => boolean;
  readonly claimCallId: (suggested: string) => string;
  /** Told after each step what it cost. */
  readonly onUsage: (usage: TokenUsage) => void;
  /** What the last steps of this message called, when an earlier run wrote them; see {@link callsName}. */
  readonly earlierSteps?: readonly string[];
  /** The most calls of the model in one run. @default 8 */
  readonly maxSteps?: number;
  /** The most tokens in one run, prompts and answers together. @default 250_000 */
  readonly maxTokens?: number;
  /** Waited for after a step that another one follows, so that what it came to is kept. */
  readonly afterStep?: () => Promise<void>;
  readonly log: RunLog;
  readonly sleep: Sleep;
}

/** The most steps in one message that are written over several runs, each begun by the page. */
const maxStepsPerMessage = 32;
/** The same calls in so many steps in a row, and the model is going round in circles. */
const maxSameSteps = 3;

/**
 * Calls the model and runs its tools, in turns, until it has no more calls, or until some wait for
 * the page or for a person.
 *
 * @throws {@link RunFailure} for the model's failures, and `run_limit` at a limit.
 * @throws The signal's reason when it aborts.
 */
export async function runAgentLoop(options: AgentLoopOptions): Promise<FinishReason> {
  const { answer, emit, context, maxSteps = 8, maxTokens = 250_000, earlierSteps = [] } = options;
  let { prompt } = options;
  const steps = [...earlierSteps];
  let invalidRounds = 0;
  let usedTokens = 0;
  for (let step = 1; ; step += 1) {
    emit({ type: "start-step" });
    const { content, calls, finishReason, usage } = await stepWithinBudget({
      ...options,
      prompt,
      signal: context.signal,
      nextPartId: () => answer.nextPartId(),
      tokensLeft: maxTokens - usedTokens,
    });
    usedTokens += usage.inputTokens + usage.outputTokens;
    options.onUsage(usage);
    if (calls.length === 0) {
      emit({ type: "finish-step" });
      // Without a call there is nothing that a page could answer.
      return finishReason === "tool-calls" ? "other" : finishReason;
    }
    answer.addSaid(content);
    const { results, pending, invalid } = await runToolRound({ ...options, calls });
    emit({ type: "finish-step" });
    steps.push(callsName(calls.map(({ name, inputText }) => ({ name, input: inputText }))));
    const atLimit = steps.length >= maxStepsPerMessage || isGoingInCircles(steps);
    if (atLimit) throw new RunFailure("run_limit");
    if (pending > 0) return "tool-calls";
    if (invalid > 0) invalidRounds += 1;
    // One chance to repair: a model that cannot write its arguments will not learn it now.
    if (invalidRounds > 1 || step >= maxSteps) throw new RunFailure("run_limit");
    await options.afterStep?.();
    prompt = [...prompt, { role: "assistant", content }, { role: "tool", content: results }];
  }
}

/** What a step called, as one text: equal for equal calls. `input` is JSON. */
export function callsName(
  calls: readonly { readonly name: string; readonly input: string }[],
): string {
  return calls
    .map(({ name, input }) => `${name} ${sortedJson(input)}`)
    .sort()
    .join("\n");
}

/** JSON with the names of its objects in order; what is no JSON stays as it is. */
function sortedJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
  } catch {
    return text;
  }
}

function isGoingInCircles(steps: readonly string[]): boolean {
  const last = steps.slice(-maxSameSteps);
  return last.length === maxSameSteps && new Set(last).size === 1;
}
