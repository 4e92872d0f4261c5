import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3FinishReason,
  LanguageModelV3StreamPart,
  LanguageModelV3Usage,
} from "@ai-sdk/provider";
import type { FinishReason, StreamPart } from "@valet/protocol";
import { toModelFailure } from "./model-failure.ts";
import { RunFailure } from "./run-ending.ts";
import { type AssistantContent, createStepContent, type ModelCall } from "./step-content.ts";
import type { Toolbox } from "./toolbox.ts";
import { type Sleep, untilAborted } from "./until-aborted.ts";

/** What one call of the model gave. */
export interface ModelStep {
  /** As the next prompt repeats it. */
  readonly content: AssistantContent;
  readonly calls: readonly ModelCall[];
  readonly finishReason: FinishReason;
  readonly usage: TokenUsage;
}

/** What a model counted. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What {@link streamModelStep} needs. */
export interface ModelStepOptions {
  readonly model: LanguageModelV3;
  readonly prompt: LanguageModelV3CallOptions["prompt"];
  readonly toolbox: Toolbox;
  readonly signal: AbortSignal;
  readonly emit: (part: StreamPart) => void;
  readonly nextPartId: () => string;
  /** An id for a call: the model's own where it is fit and new in the thread. */
  readonly claimCallId: (suggested: string) => string;
  readonly sleep: Sleep;
  /** The most that the model may say, in its tokens. @default what the model takes for right */
  readonly maxOutputTokens?: number;
}

/** The longest that a provider's wish to wait is granted; a longer one is the client's to wait. */
const maxRetryWaitMs = 10_000;
const defaultRetryWaitMs = 500;

/**
 * Calls the model once and sends on what it says. A failure that may pass is tried once more, but
 * only while nothing has been said: afterwards a second try would say things twice.
 *
 * @throws {@link RunFailure} for the model's failures; the signal's reason when it aborts.
 */
export async function streamModelStep(options: ModelStepOptions): Promise<ModelStep> {
  for (let attempt = 1; ; attempt += 1) {
    const said = { anything: false };
    try {
      return await attemptStep(options, said);
    } catch (error) {
      if (options.signal.aborted) throw options.signal.reason;
      const failure = toModelFailure(error);
      const waitMs = failure.retryAfterMs ?? defaultRetryWaitMs;
      if (attempt > 1 || said.anything || !failure.retryable || waitMs > maxRetryWaitMs) {
        throw failure;
      }
      await options.sleep(waitMs, options.signal);
    }
  }
}

async function attemptStep(
  {
    model,
    prompt,
    toolbox,
    signal,
    emit,
    nextPartId,
    claimCallId,
    maxOutputTokens,
  }: ModelStepOptions,
  said: { anything: boolean },
): Promise<ModelStep> {
  const { definitions } = toolbox;
  const { stream } = await untilAborted(
    Promise.resolve(
      model.doStream({
        prompt,
        abortSignal: signal,
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
        ...(definitions.length > 0 ? { tools: definitions, toolChoice: { type: "auto" } } : {}),
      }),
    ),
    signal,
  );
  const content = createStepContent({
    toolbox,
    nextPartId,
    claimCallId,
    emit(part) {
      said.anything = true;
      emit(part);
    },
  });
  const reader = stream.getReader();
  // Cancelling settles a read that is under way, even of a model that ignores the signal.
  const onAbort = () => void reader.cancel(signal.reason).catch(() => undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) throw signal.reason;
      if (done) throw cutShort();
      const finish = take(value, content);
      if (finish) return { ...content.close(), ...finish };
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    void reader.cancel().catch(() => undefined);
  }
}

/** Handles one part; gives the end when it is the end. */
function take(
  part: LanguageModelV3StreamPart,
  content: ReturnType<typeof createStepContent>,
): Pick<ModelStep, "finishReason" | "usage"> | undefined {
  if (part.type === "error") throw toModelFailure(part.error);
  if (part.type !== "finish") {
    content.take(part);
    return undefined;
  }
  return { finishReason: readFinishReason(part.finishReason), usage: readUsage(part.usage) };
}

const finishReasons: readonly string[] = [
  "stop",
  "length",
  "content-filter",
  "tool-calls",
  "other",
];

/** A stream that its provider cut ends as `other` with no reason behind it: no finished answer. */
function readFinishReason({ unified, raw }: LanguageModelV3FinishReason): FinishReason {
  if (unified === "error" || (unified === "other" && raw === undefined)) throw cutShort();
  return finishReasons.includes(unified) ? (unified as FinishReason) : "other";
}

function cutShort(): RunFailure {
  return new RunFailure("model_unavailable", {
    retryable: true,
    cause: new Error("The model's stream ended without a finish reason."),
  });
}

/** Reads the counts; a provider may leave out any of them. */
function readUsage(usage: Partial<LanguageModelV3Usage> | undefined): TokenUsage {
  return {
    inputTokens: readCount(usage?.inputTokens?.total),
    outputTokens: readCount(usage?.outputTokens?.total),
  };
}

function readCount(total: unknown): number {
  return typeof total === "number" && Number.isFinite(total) && total > 0 ? total : 0;
}
