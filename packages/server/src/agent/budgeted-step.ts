import type { StreamPart } from "@valet/protocol";
import { ProblemError } from "../http/problem-answer.ts";
import type { TokenShare } from "../sessions/token-pots.ts";
import { type ModelStep, type ModelStepOptions, streamModelStep } from "./model-step.ts";
import { RunFailure } from "./run-ending.ts";

/** What {@link stepWithinBudget} needs. */
export interface BudgetedStepOptions extends ModelStepOptions {
  /** Sets tokens apart; undefined for no bound. @throws {@link ProblemError} When none are left. */
  readonly takeTokens?: (atLeast: number) => TokenShare | undefined;
  /** What the run may still use, its prompts included. @default without a bound */
  readonly tokensLeft?: number;
  /** Told what the call has cost as far as it is known, and 0 when it was settled. */
  readonly onCost?: (tokens: number) => void;
  /** Waited for before a model is asked whose call a session with a bound pays. */
  readonly beforePaidCall?: () => Promise<void>;
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
 * @throws {@link RunFailure} `budget_exhausted`, `run_limit` when the run has used its tokens, and
 *   whatever {@link streamModelStep} throws.
 */
export async function stepWithinBudget({
  takeTokens,
  tokensLeft = Number.POSITIVE_INFINITY,
  onCost,
  beforePaidCall,
  ...options
}: BudgetedStepOptions): Promise<ModelStep> {
  const promptTokens = promptTokensOf(options.prompt);
  if (promptTokens >= tokensLeft) throw new RunFailure("run_limit");
  const share = takeTokens && takeShare(takeTokens, promptTokens + leastOutputTokens);
  let saidTokens = 0;
  let spent: number | undefined;
  try {
    const most = share ? share.maxTokens - promptTokens : Number.POSITIVE_INFINITY;
    if (most < 1) {
      spent = 0;
      throw new RunFailure("budget_exhausted");
    }
    onCost?.(promptTokens);
    if (share) await beforePaidCall?.();
    const maxOutputTokens = Math.min(most, options.maxOutputTokens ?? most);
    const step = await streamModelStep({
      ...options,
      ...(Number.isFinite(maxOutputTokens) && { maxOutputTokens }),
      emit(part) {
        const tokens = said(part);
        if (tokens > 0) {
          saidTokens += tokens;
          onCost?.(promptTokens + saidTokens);
          if (promptTokens + saidTokens > tokensLeft) throw new RunFailure("run_limit");
        }
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
    share?.settle(spent ?? promptTokens + saidTokens);
    onCost?.(0);
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

/** Apart, so that the text is not kept for as long as the model speaks. */
function promptTokensOf(prompt: ModelStepOptions["prompt"]): number {
  return tokensOf(JSON.stringify(prompt));
}

function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}
