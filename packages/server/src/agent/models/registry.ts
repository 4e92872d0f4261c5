import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV3 } from "@ai-sdk/provider";
import { ProblemError } from "../../http/problem-answer.ts";
import { type AiSdkModel, fromAiSdk } from "./ai-sdk-model.ts";
import { type ModelConfig, modelProblems, parseModelChoice } from "./model-config.ts";

export { modelProblems } from "./model-config.ts";

/** The models of this server, by the names that requests may use. */
export interface Models {
  /** Every name; all of them mean the default model. */
  readonly names: readonly string[];
  /** The name of the default model: `provider/name`, or that of the embedded one. */
  readonly defaultName: string;
  /**
   * The model of a name.
   *
   * @param name Left out: the default model.
   * @param allowed The names that the session is narrowed to.
   * @throws {@link ProblemError} `unknown_model` with the names that would do.
   */
  resolve(name?: string, allowed?: readonly string[]): LanguageModelV3;
}

/** What {@link createModels} needs. */
export interface ModelsOptions {
  readonly config: ModelConfig;
  /** The model that answers when the operator has named none. */
  readonly embedded: LanguageModelV3;
  /** A model that whoever creates the server brings, in the place of one by name. */
  readonly model?: AiSdkModel | undefined;
  /** @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch;
}

/** Names that SDK users write into their code, whatever model the operator runs. */
const aliases = ["valet-agent-1.0", "kapa-agent-1.0"];

/**
 * Creates the table of models. Keys and addresses are always passed on explicitly: the provider
 * packages would otherwise read them from variables that were set for other software.
 *
 * @throws Error When {@link modelProblems} finds one, or {@link fromAiSdk} does not know the model.
 */
export function createModels({ config, embedded, model: given, fetch }: ModelsOptions): Models {
  const problems = modelProblems(config);
  if (given !== undefined && config.model !== undefined) {
    problems.push("VALET_MODEL names a model where the server was given one already");
  }
  if (problems.length > 0) throw new Error(problems.join("; "));
  const { model: bare, name: defaultName } =
    given !== undefined
      ? { model: fromAiSdk(given), name: `${given.provider}/${given.modelId}` }
      : config.model === undefined
        ? { model: embedded, name: embedded.modelId }
        : { model: createModel(config.model, config, fetch), name: config.model };
  const model = withOptions(bare, config.modelOptions);
  const names = [...new Set([...aliases, defaultName])];
  return {
    names,
    defaultName,
    resolve(name, allowed) {
      const usable = allowed ? names.filter((known) => allowed.includes(known)) : names;
      const isUsable = name === undefined ? usable.length > 0 : usable.includes(name);
      if (!isUsable) throw new ProblemError("unknown_model", { field: "model", allowed: usable });
      return model;
    },
  };
}

/** The model with options for its provider in every call. */
function withOptions(
  model: LanguageModelV3,
  providerOptions: ModelConfig["modelOptions"],
): LanguageModelV3 {
  if (providerOptions === undefined) return model;
  return {
    specificationVersion: "v3",
    provider: model.provider,
    modelId: model.modelId,
    supportedUrls: model.supportedUrls,
    doGenerate: (options) => model.doGenerate({ ...options, providerOptions }),
    doStream: (options) => model.doStream({ ...options, providerOptions }),
  };
}

function createModel(
  text: string,
  config: ModelConfig,
  fetch: typeof globalThis.fetch | undefined,
): LanguageModelV3 {
  const choice = parseModelChoice(text);
  if (!choice) throw new Error("VALET_MODEL must be provider/name.");
  const { modelBaseUrl, modelApiKey = "" } = config;
  const common = fetch ? { fetch } : {};
  switch (choice.provider) {
    case "openai": {
      const baseURL = modelBaseUrl ?? "https://api.openai.com/v1";
      // The chat endpoint keeps nothing at the provider, where the other one keeps conversations.
      return createOpenAI({ ...common, apiKey: modelApiKey, baseURL }).chat(choice.name);
    }
    case "anthropic": {
      const baseURL = modelBaseUrl ?? "https://api.anthropic.com/v1";
      return createAnthropic({ ...common, apiKey: modelApiKey, baseURL })(choice.name);
    }
    case "openai-compatible":
      return createOpenAICompatible({
        ...common,
        name: "openai-compatible",
        baseURL: modelBaseUrl ?? "",
        includeUsage: true,
        ...(modelApiKey ? { apiKey: modelApiKey } : {}),
      })(choice.name);
  }
}
