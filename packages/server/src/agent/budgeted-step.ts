import type { StreamPart } from "@valet/protocol";
import { ProblemError } from "../http/problem-answer.ts";
import type { TokenShare } from "../sessions/token-pots.ts";
import { type ModelStep, type ModelStepOptions, streamModelStep } from "./model-step.ts";
import { RunFailure } from "./run-ending.ts";

/** What {@link stepWithinBudget} needs. */
export interface BudgetedStepOptions extends ModelStepOptions {
  /** Sets tokens apart; undefined for no bound. @throws {@link ProblemError} When none are left. */
  readonly takeTokens?: (atLeast: number) => TokenShare | undefined;
}

/** What a token of a prompt is taken to be, where only its text is known. */
const bytesPerToken = 4;
/** The least that a call is made for, beside its prompt. */
const leastOutputTokens = 64;

/**
 * Calls the model once with no more tokens than were set apart for it. What a call costs that
 * ended before the model had counted, because somebody stopped it, is judged by what was said:
 * stopping early must not make an answer free.
 *
 * @throws {@link RunFailure} `budget_exhausted`, and whatever {@link streamModelStep} throws.
 */
export async function stepWithinBudget({
  takeTokens,
  ...options
}: BudgetedStepOptions): Promise<ModelStep> {
  if (!takeTokens) return streamModelStep(options);
  const promptTokens = tokensOf(JSON.stringify(options.prompt));
  const share = takeShare(takeTokens, promptTokens + leastOutputTokens);
  if (!share) return streamModelStep(options);
  let saidTokens = 0;
  let spent: number | undefined;
  try {
    const maxOutputTokens = share.maxTokens - promptTokens;
    if (maxOutputTokens < 1) {
      spent = 0;
      throw new RunFailure("budget_exhausted");
    }
    const step = await streamModelStep({
      ...options,
      maxOutputTokens,
      emit(part) {
        saidTokens += said(part);
        options.emit(part);
      },
    });
    const counted = step.usage.inputTokens + step.usage.outputTokens;
    // A provider that counts nothing does not make the model free.
    if (counted > 0) spent = counted;
    return step;
  } catch (error) {
    // A call that failed before it said anything was not answered, and costs nothing.
    if (saidTokens === 0 && error instanceof RunFailure) spent = 0;
    throw error;
  } finally {
    share.settle(spent ?? promptTokens + saidTokens);
  }
}

function takeShare(
  takeTokens: (atLeast: number) => TokenShare | undefined,
  atLeast: number,
): TokenShare | undefined {
  try {
    return takeTokens(atLeast);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    throw new RunFailure("budget_exhausted", { cause: error });
  }
}

function said(part: StreamPart): number {
  switch (part.type) {
    case "text-delta":
    case "reasoning-delta":
      return tokensOf(part.delta);
    case "tool-input-delta":
      return tokensOf(part.inputTextDelta);
    default:
      return 0;
  }
}

function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}
