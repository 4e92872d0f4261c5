import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3StreamPart,
} from "@ai-sdk/provider";

/**
 * A model object of a provider package of the AI SDK: specification 2, 3 or 4, told apart by
 * `specificationVersion`. Every generation of those packages fits.
 */
export interface AiSdkModel {
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
  doStream(options: never): PromiseLike<{ readonly stream: ReadableStream<unknown> }>;
}

const supported = ["v2", "v3", "v4"];

/**
 * Makes any {@link AiSdkModel} one of specification 3, which the agent speaks. What the agent asks
 * for, text and tools, is the same in all three; what comes back differs in a few parts.
 *
 * @throws Error For an object that is no such model, or of a version that is not known.
 */
export function fromAiSdk(model: AiSdkModel): LanguageModelV3 {
  const { specificationVersion: version, doStream } = (model ?? {}) as Partial<AiSdkModel>;
  if (typeof doStream !== "function") {
    throw new Error("The model must be a model object of a provider package of the AI SDK.");
  }
  if (!supported.includes(String(version))) {
    throw new Error(
      `The model ${model.provider}/${model.modelId} follows specification ${String(version)} of the AI SDK; Valet runs ${supported.join(", ")}.`,
    );
  }
  if (version === "v3") return model as unknown as LanguageModelV3;
  const translate = version === "v2" ? createV2Reader : createV4Reader;
  return {
    specificationVersion: "v3",
    provider: model.provider,
    modelId: model.modelId,
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("The agent only streams.")),
    async doStream(options: LanguageModelV3CallOptions) {
      const { stream } = await model.doStream(options as never);
      const read = translate();
      return {
        stream: stream.pipeThrough(
          new TransformStream<unknown, LanguageModelV3StreamPart>({
            transform(part, controller) {
              const told = read(part as ForeignPart);
              if (told) controller.enqueue(told);
            },
          }),
        ),
      };
    },
  };
}

/** A part of a stream of another specification. */
type ForeignPart = { readonly type: string; readonly id?: string } & Record<string, unknown>;
type Reader = (part: ForeignPart) => LanguageModelV3StreamPart | undefined;

/** Specification 2 has a text for the reason to finish, and numbers for the usage. */
function createV2Reader(): Reader {
  return (part) => {
    if (part.type !== "finish") return part as LanguageModelV3StreamPart;
    const { finishReason, usage } = part as {
      readonly finishReason?: unknown;
      readonly usage?: { readonly inputTokens?: number; readonly outputTokens?: number };
    };
    // "unknown" stands for a stream that ended without a reason.
    const isKnown = typeof finishReason === "string" && finishReason !== "unknown";
    return {
      type: "finish",
      finishReason: {
        unified: (isKnown ? finishReason : "other") as "other",
        raw: isKnown ? finishReason : undefined,
      },
      usage: {
        inputTokens: {
          total: usage?.inputTokens,
          noCache: undefined,
          cacheRead: undefined,
          cacheWrite: undefined,
        },
        outputTokens: { total: usage?.outputTokens, text: undefined, reasoning: undefined },
      },
    };
  };
}

/** Specification 4 may stream arguments as plain text, whose JSON comes only with the call. */
function createV4Reader(): Reader {
  const asText = new Set<string>();
  return (part) => {
    if (part.type === "tool-input-start" && part.inputEncoding === "text") {
      asText.add(String(part.id));
    }
    const isText = part.type === "tool-input-delta" && asText.has(String(part.id));
    return isText ? undefined : (part as LanguageModelV3StreamPart);
  };
}
