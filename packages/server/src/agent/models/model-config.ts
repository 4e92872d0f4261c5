import type { SharedV3ProviderOptions } from "@ai-sdk/provider";

/** What the operator says of the model; each field is a variable of the environment. */
export interface ModelConfig {
  /** `VALET_MODEL`: `provider/name`. Absent: the embedded extractive model. */
  readonly model?: string | undefined;
  /** `VALET_MODEL_API_KEY`: the provider's key. A server of one's own may need none. */
  readonly modelApiKey?: string | undefined;
  /** `VALET_MODEL_BASE_URL`. `openai-compatible` needs it; the others have their own. */
  readonly modelBaseUrl?: string | undefined;
  /** `VALET_MODEL_OPTIONS`: options for the provider, by the name of its package. */
  readonly modelOptions?: SharedV3ProviderOptions | undefined;
}

/** A model of a provider that is built in. */
export interface ModelChoice {
  readonly provider: (typeof modelProviders)[number];
  readonly name: string;
}

/** The providers that `VALET_MODEL` may name. */
const modelProviders = ["openai", "anthropic", "openai-compatible"] as const;

/** Everything that is wrong with the configuration, a line each, naming the variable. */
export function modelProblems({ model, modelApiKey, modelBaseUrl }: ModelConfig): string[] {
  const problems: string[] = [];
  if (modelBaseUrl !== undefined && !isHttpUrl(modelBaseUrl)) {
    problems.push(
      "VALET_MODEL_BASE_URL must be an http or https address without credentials or query",
    );
  }
  if (model === undefined) return problems;
  const choice = parseModelChoice(model);
  if (!choice) {
    const known = modelProviders.join(", ");
    problems.push(`VALET_MODEL must be provider/name, and the provider one of ${known}`);
  } else if (choice.provider === "openai-compatible") {
    if (modelBaseUrl === undefined) {
      problems.push(`VALET_MODEL_BASE_URL is needed when VALET_MODEL is ${model}`);
    }
  } else if (!modelApiKey) {
    problems.push(`VALET_MODEL_API_KEY is needed when VALET_MODEL is ${model}`);
  }
  return problems;
}

/** Reads `provider/name`; the name may hold further slashes. */
export function parseModelChoice(text: string): ModelChoice | undefined {
  const slash = text.indexOf("/");
  const provider = modelProviders.find((known) => known === text.slice(0, slash));
  const name = text.slice(slash + 1);
  return provider && name !== "" && !/\s/.test(name) ? { provider, name } : undefined;
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username + password + search + hash === "";
}
