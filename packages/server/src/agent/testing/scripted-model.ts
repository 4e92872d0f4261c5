import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3StreamPart,
} from "@ai-sdk/provider";

/** What a scripted model does next: says a part, throws, waits, hangs until aborted, or stops talking. */
export type ScriptMove =
  | LanguageModelV3StreamPart
  | { readonly throws: unknown }
  | { readonly waitsFor: Promise<unknown> }
  | "hangs"
  | "cut";

/** One call of the model: its moves, or what makes them out of the prompt. */
export type Script =
  | readonly ScriptMove[]
  | ((options: LanguageModelV3CallOptions) => readonly ScriptMove[])
  /** `doStream()` itself throws. */
  | { readonly rejects: unknown };

/** A model that says what a test tells it, call by call; the last script serves all later calls. */
export interface ScriptedModel extends LanguageModelV3 {
  /** The options of every call so far. */
  readonly calls: readonly LanguageModelV3CallOptions[];
  /** How many streams were given up by their reader. */
  readonly cancelled: number;
}

/** Creates a {@link ScriptedModel}. */
export function createScriptedModel(...scripts: readonly Script[]): ScriptedModel {
  const calls: LanguageModelV3CallOptions[] = [];
  const counts = { cancelled: 0 };
  return {
    specificationVersion: "v3",
    provider: "scripted",
    modelId: "scripted-1",
    supportedUrls: {},
    calls,
    get cancelled() {
      return counts.cancelled;
    },
    doGenerate: () => Promise.reject(new Error("Not used here.")),
    async doStream(options) {
      const script = scripts[Math.min(calls.length, scripts.length - 1)] ?? [];
      calls.push(options);
      if ("rejects" in script) throw script.rejects;
      const moves = [...(typeof script === "function" ? script(options) : script)];
      const stream = new ReadableStream<LanguageModelV3StreamPart>(
        {
          async pull(controller) {
            for (;;) {
              const move = moves.shift();
              if (move === undefined || move === "cut") return controller.close();
              if (move === "hangs") return new Promise<void>(() => undefined);
              if ("throws" in move) return controller.error(move.throws);
              if ("type" in move) return controller.enqueue(move);
              await move.waitsFor;
            }
          },
          cancel() {
            counts.cancelled += 1;
          },
        },
        { highWaterMark: 0 },
      );
      return { stream };
    },
  };
}

/** The parts of a text, in as many deltas as there are pieces. */
export function says(...pieces: readonly string[]): LanguageModelV3StreamPart[] {
  return [
    { type: "text-start", id: "0" },
    ...pieces.map((delta) => ({ type: "text-delta", id: "0", delta }) as const),
    { type: "text-end", id: "0" },
  ];
}

/** The part of a tool call. */
export function calls(
  toolCallId: string,
  toolName: string,
  input: unknown,
): LanguageModelV3StreamPart {
  const text = typeof input === "string" ? input : JSON.stringify(input);
  return { type: "tool-call", toolCallId, toolName, input: text };
}

/** The part that ends a call of the model. */
export function finishes(
  unified: "stop" | "length" | "tool-calls" | "error" | "other" = "stop",
  { input = 10, output = 5 } = {},
): LanguageModelV3StreamPart {
  return {
    type: "finish",
    finishReason: { unified, raw: unified },
    usage: {
      inputTokens: { total: input, noCache: input, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: output, text: output, reasoning: 0 },
    },
  };
}

/** A model that says a word, and the rest once the test lets it. */
export function createPausingModel(): { model: ScriptedModel; release: () => void } {
  let release: () => void = () => undefined;
  const waitsFor = new Promise<void>((resolve) => {
    release = resolve;
  });
  const model = createScriptedModel([
    { type: "text-delta", id: "0", delta: "One " },
    { waitsFor },
    { type: "text-delta", id: "0", delta: "two." },
    finishes(),
  ]);
  return { model, release: () => release() };
}
