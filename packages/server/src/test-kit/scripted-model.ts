import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3StreamPart,
} from "@ai-sdk/provider";
import {
  finishReasonOf,
  halves,
  messageOf,
  type Piece,
  readScript,
  type Scripted,
  type ScriptedStep,
  usageOf,
} from "./scripted-step.ts";

/** A model that says what a test tells it. */
export interface ScriptedModel extends LanguageModelV3 {
  /** The options of every call so far, in order. */
  readonly calls: readonly LanguageModelV3CallOptions[];
}

/**
 * Creates a model of specification 3 out of steps: the first call of the model gets the first of
 * them, and the last one serves all later calls.
 *
 * @example scriptedModel({ calls: [{ name: "search_knowledge_base", input: { query: "limits" } }] }, { text: "Fifty [1]." })
 * @throws RangeError Without a step.
 */
export function scriptedModel(
  ...steps: readonly Scripted<LanguageModelV3CallOptions>[]
): ScriptedModel {
  const script = readScript(steps);
  const calls: LanguageModelV3CallOptions[] = [];
  return {
    specificationVersion: "v3",
    provider: "scripted",
    modelId: "scripted-1",
    supportedUrls: {},
    calls,
    doGenerate: () => Promise.reject(new Error("The scripted model only streams.")),
    async doStream(options) {
      calls.push(options);
      const step = script.next(options);
      if (step.refuses) {
        const { status, headers = {} } = step.refuses;
        throw Object.assign(new Error(messageOf(step.refuses)), {
          statusCode: status,
          responseHeaders: headers,
        });
      }
      const parts = partsOf(step, script.pieces(step), options.abortSignal);
      return {
        stream: new ReadableStream<LanguageModelV3StreamPart>(
          {
            async pull(controller) {
              try {
                const { done, value } = await parts.next();
                if (done) controller.close();
                else controller.enqueue(value);
              } catch (error) {
                controller.error(error);
              }
            },
          },
          { highWaterMark: 0 },
        ),
      };
    },
  };
}

async function* partsOf(
  step: ScriptedStep,
  pieces: readonly Piece[],
  signal: AbortSignal | undefined,
): AsyncGenerator<LanguageModelV3StreamPart, void, undefined> {
  yield { type: "stream-start", warnings: [] };
  let open: "reasoning" | "text" | undefined;
  for (const [at, piece] of pieces.entries()) {
    if (at > 0) await step.beforePiece?.(at);
    if (open && (piece.kind === "call" || piece.isFirst)) yield { type: `${open}-end`, id: open };
    if (piece.kind === "call") {
      open = undefined;
      const { id, name, input } = piece;
      yield { type: "tool-input-start", id, toolName: name };
      for (const delta of halves(input)) yield { type: "tool-input-delta", id, delta };
      yield { type: "tool-input-end", id };
      yield { type: "tool-call", toolCallId: id, toolName: name, input };
      continue;
    }
    if (piece.isFirst) yield { type: `${piece.kind}-start`, id: piece.kind };
    open = piece.kind;
    yield { type: `${piece.kind}-delta`, id: piece.kind, delta: piece.text };
  }
  if (open && !step.fails) yield { type: `${open}-end`, id: open };
  switch (step.fails) {
    case "cut":
      return;
    case "hangs":
      await new Promise<never>((_, reject) => {
        if (signal?.aborted) reject(signal.reason);
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
      return;
    case "error":
    case "malformed":
      yield { type: "error", error: new Error("The provider says that it failed.") };
      return;
    case "reset":
      throw new Error("The connection was reset.");
    default: {
      const unified = finishReasonOf(step);
      const { inputTokens, outputTokens } = usageOf(step);
      yield {
        type: "finish",
        finishReason: { unified, raw: unified },
        usage: {
          inputTokens: { total: inputTokens, noCache: inputTokens, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: outputTokens, text: outputTokens, reasoning: 0 },
        },
      };
    }
  }
}
