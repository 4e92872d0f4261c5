import { expect, test } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

function problemsOf(variables: Record<string, string>): readonly string[] {
  try {
    readConfig(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test("nothing set is a server on loopback with its data in .valet", () => {
  const config = readConfig({});
  expect(config).toMatchObject({ host: "127.0.0.1", port: 4747, logLevel: "info" });
  expect(config.dataDir).toMatch(/[\\/]\.valet$/);
  expect(config.model).toBeUndefined();
});

test("every problem is reported at once and by name", () => {
  const problems = problemsOf({
    VALET_PORT: "70000",
    VALET_PUBLIC_URL: "https://valet.example.com/path",
    VALET_LOG_LEVEL: "loud",
    VALET_MODLE: "openai/gpt",
  });
  expect(problems).toHaveLength(4);
  for (const name of ["VALET_PORT", "VALET_PUBLIC_URL", "VALET_LOG_LEVEL", "VALET_MODLE"]) {
    expect(problems.filter((problem) => problem.startsWith(name))).toHaveLength(1);
  }
});

test("variables of other software and of the demo are left alone", () => {
  expect(problemsOf({ PORT: "x", OPENAI_API_KEY: "x", VALET_DEMO_PORT: "1" })).toEqual([]);
  expect(problemsOf({ VALET_API_KEY: "x", VALET_TEST_BROWSER: "x" })).toEqual([]);
});

test("a public address loses its last slash and keeps nothing else", () => {
  expect(readConfig({ VALET_PUBLIC_URL: "https://v.example.com/" }).publicUrl).toBe(
    "https://v.example.com",
  );
});

test("trusted proxies are ranges between commas, and none unless said", () => {
  expect(readConfig({}).trustedProxies.entries).toEqual([]);
  const { trustedProxies } = readConfig({ VALET_TRUSTED_PROXIES: "10.0.0.0/8, 2001:db8::1" });
  expect(trustedProxies.has("10.1.2.3") && trustedProxies.has("2001:db8::1")).toBe(true);
  expect(problemsOf({ VALET_TRUSTED_PROXIES: "10.0.0.0/8, proxy.local" })).toEqual([
    expect.stringMatching(/^VALET_TRUSTED_PROXIES .*proxy\.local/),
  ]);
});

test("options of a provider are JSON by its name, and nothing else", () => {
  expect(readConfig({}).modelOptions).toBeUndefined();
  const options = { anthropic: { thinking: { type: "enabled", budgetTokens: 2_000 } } };
  expect(readConfig({ VALET_MODEL_OPTIONS: JSON.stringify(options) }).modelOptions).toEqual(
    options,
  );
  for (const VALET_MODEL_OPTIONS of ["{", "[]", '"x"', '{"anthropic":1}', ""]) {
    expect(problemsOf({ VALET_MODEL_OPTIONS })).toEqual([
      'VALET_MODEL_OPTIONS must be JSON such as {"anthropic":{"effort":"low"}}',
    ]);
  }
});

test("the bounds of a run are whole numbers, and have values when nothing is said", () => {
  expect(readConfig({}).runLimits).toEqual({ maxSteps: 8, maxSeconds: 120, maxTokens: 250_000 });
  expect(
    readConfig({
      VALET_RUN_MAX_STEPS: "3",
      VALET_RUN_MAX_SECONDS: "30",
      VALET_RUN_MAX_TOKENS: "5000",
      VALET_MODEL_MAX_OUTPUT_TOKENS: "900",
    }).runLimits,
  ).toEqual({ maxSteps: 3, maxSeconds: 30, maxTokens: 5_000, maxOutputTokens: 900 });
  const wrong = {
    VALET_RUN_MAX_STEPS: "0",
    VALET_RUN_MAX_SECONDS: "1.5",
    VALET_RUN_MAX_TOKENS: "",
  };
  expect(problemsOf(wrong)).toEqual([
    "VALET_RUN_MAX_STEPS must be a whole number from 1 to 100",
    "VALET_RUN_MAX_SECONDS must be a whole number from 1 to 3600",
    "VALET_RUN_MAX_TOKENS must be a whole number from 1000 to 1000000000",
  ]);
});
