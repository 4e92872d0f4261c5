import { afterEach, expect, test, vi } from "vitest";
import { createScriptedModel } from "../testing/scripted-model.ts";
import { type ModelConfig, modelProblems } from "./model-config.ts";
import { createModels } from "./registry.ts";

const embedded = createScriptedModel();

afterEach(() => vi.unstubAllEnvs());

/** What a model sends first, and where to. */
async function firstRequest(config: ModelConfig): Promise<{ url: string; headers: Headers }> {
  let seen: { url: string; headers: Headers } | undefined;
  const { resolve } = createModels({
    config,
    embedded,
    fetch: async (input, init) => {
      seen = { url: String(input), headers: new Headers(init?.headers) };
      return new Response("{}", { status: 500 });
    },
  });
  const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "Hi" }] }];
  await expect(resolve().doStream({ prompt })).rejects.toThrow();
  if (!seen) throw new Error("Nothing was sent.");
  return seen;
}

test("without VALET_MODEL the embedded model answers, whatever lies in the environment", () => {
  vi.stubEnv("OPENAI_API_KEY", "sk-ambient");
  const models = createModels({ config: {}, embedded });
  expect(models.resolve()).toBe(embedded);
  expect(models.resolve("kapa-agent-1.0")).toBe(embedded);
  expect(models.defaultName).toBe("scripted-1");
});

test("a missing key is a problem of the configuration, whatever lies in the environment", () => {
  vi.stubEnv("OPENAI_API_KEY", "sk-ambient");
  vi.stubEnv("ANTHROPIC_API_KEY", "sk-ambient");
  for (const model of ["openai/gpt-5", "anthropic/claude"]) {
    expect(modelProblems({ model })).toEqual([
      `VALET_MODEL_API_KEY is needed when VALET_MODEL is ${model}`,
    ]);
    expect(() => createModels({ config: { model }, embedded })).toThrow("VALET_MODEL_API_KEY");
  }
});

test("keys and addresses are those of the configuration and never the environment's", async () => {
  vi.stubEnv("OPENAI_API_KEY", "sk-ambient");
  vi.stubEnv("OPENAI_BASE_URL", "https://elsewhere.example");
  vi.stubEnv("ANTHROPIC_API_KEY", "sk-ambient");
  vi.stubEnv("ANTHROPIC_BASE_URL", "https://elsewhere.example");
  const openai = await firstRequest({ model: "openai/gpt-5", modelApiKey: "ours" });
  expect(openai.url).toBe("https://api.openai.com/v1/chat/completions");
  expect(openai.headers.get("authorization")).toBe("Bearer ours");
  const anthropic = await firstRequest({ model: "anthropic/claude", modelApiKey: "ours" });
  expect(anthropic.url).toBe("https://api.anthropic.com/v1/messages");
  expect(anthropic.headers.get("x-api-key")).toBe("ours");
  const own = await firstRequest({
    model: "openai-compatible/llama",
    modelBaseUrl: "http://localhost:11434/v1",
  });
  expect(own.url).toBe("http://localhost:11434/v1/chat/completions");
  expect(own.headers.get("authorization")).toBeNull();
});

test("every problem is told at once and by the name of its variable", () => {
  expect(modelProblems({})).toEqual([]);
  expect(modelProblems({ model: "openai-compatible/a/b", modelBaseUrl: "http://x/v1" })).toEqual(
    [],
  );
  expect(modelProblems({ model: "gpt-5", modelBaseUrl: "ftp://x" })).toEqual([
    "VALET_MODEL_BASE_URL must be an http or https address without credentials or query",
    "VALET_MODEL must be provider/name, and the provider one of openai, anthropic, openai-compatible",
  ]);
  expect(modelProblems({ model: "openai-compatible/llama" })).toEqual([
    "VALET_MODEL_BASE_URL is needed when VALET_MODEL is openai-compatible/llama",
  ]);
  expect(modelProblems({ modelBaseUrl: "https://user:pw@x/v1" })).toHaveLength(1);
});
