import { createOpenAICompatible as createV3 } from "@ai-sdk/openai-compatible";
import type { LanguageModelV3StreamPart } from "@ai-sdk/provider";
import { createOpenAICompatible as createV2 } from "ai-sdk-spec-v2";
import { createOpenAICompatible as createV4 } from "ai-sdk-spec-v4";
import { afterEach, expect, test } from "vitest";
import { readConfig } from "../../config.ts";
import { openServer } from "../../open-server.ts";
import {
  createAgentHarness,
  only,
  readAnswer,
  someQuestion,
  someSession,
  typesOf,
} from "../testing/agent-harness.ts";
import {
  type OpenAiReply,
  type OpenAiServer,
  refuses,
  startOpenAiServer,
  streams,
  streamsThen,
} from "../testing/openai-server.ts";
import { createScriptedModel, says } from "../testing/scripted-model.ts";
import { type AiSdkModel, fromAiSdk } from "./ai-sdk-model.ts";
import { createModels } from "./registry.ts";

const embedded = createScriptedModel();
let open: OpenAiServer | undefined;

afterEach(async () => {
  await open?.close();
  open = undefined;
});

/** The provider packages of three generations, over real HTTP. */
const generations: readonly (readonly [string, (baseURL: string) => AiSdkModel])[] = [
  ["v2", (baseURL) => createV2({ name: "own", baseURL, includeUsage: true })("m")],
  ["v3", (baseURL) => createV3({ name: "own", baseURL, includeUsage: true })("m")],
  ["v4", (baseURL) => createV4({ name: "own", baseURL, includeUsage: true })("m")],
];

async function connect(create: (baseURL: string) => AiSdkModel, ...replies: OpenAiReply[]) {
  const server = await startOpenAiServer(...replies);
  open = server;
  const model = create(server.baseUrl);
  const waits: number[] = [];
  const models = createModels({ config: {}, embedded, model });
  const harness = await createAgentHarness({ models, onSleep: (ms) => waits.push(ms) });
  return { ...harness, server, waits, model };
}

const call = (index: number, id: string, query: string) => ({
  index,
  id,
  type: "function",
  function: { name: "search_knowledge_base", arguments: JSON.stringify({ query }) },
});
const searches = streams(
  [
    { role: "assistant", reasoning_content: "Two searches." },
    { content: "Let me look." },
    { tool_calls: [call(0, "call_1", "limits")] },
    { tool_calls: [call(1, "call_2", "bursts")] },
  ],
  "tool_calls",
);
const answers = streams([{ role: "assistant", content: "Fifty" }, { content: " [1]." }], "stop");

for (const [version, create] of generations) {
  test(`a model of specification ${version} thinks, searches twice, is told both results, and answers with usage`, async () => {
    const { ask, server, model } = await connect(create, searches, answers);
    expect(model.specificationVersion).toBe(version);
    const { parts, text } = await ask(someSession(), "How many?");
    expect(text).toBe("Let me look.Fifty [1].");
    const thoughts = only(parts, "reasoning-delta").map(({ delta }) => delta);
    expect(thoughts.join("")).toBe("Two searches.");
    expect(only(parts, "tool-input-start").map(({ toolCallId }) => toolCallId)).toEqual([
      "call_1",
      "call_2",
    ]);
    expect(only(parts, "tool-output-available")).toHaveLength(2);
    expect(only(parts, "message-metadata")[0]?.messageMetadata).toEqual({
      cited: ["s1"],
      usage: { inputTokens: 14, outputTokens: 6 },
    });
    expect(parts.at(-1)).toEqual({ type: "finish", finishReason: "stop" });
    const told = server.requests[1]?.messages ?? [];
    expect(told.map(({ role }) => role)).toEqual(["system", "user", "assistant", "tool", "tool"]);
    expect(JSON.parse(String(told.at(-1)?.content))).toMatchObject({ passages: [{ number: 1 }] });
  });

  test(`a stream of specification ${version} that is cut is no finished answer`, async () => {
    const { ask } = await connect(
      create,
      streamsThen([{ content: "Half" }], (response) => response.end()),
    );
    const { parts, text } = await ask(someSession(), "How many?");
    expect(text).toBe("Half");
    expect(only(parts, "data-error")[0]?.data).toMatchObject({
      code: "model_unavailable",
      retryable: true,
    });
  });

  test(`a busy model of specification ${version} is asked once more after its own time`, async () => {
    const { ask, waits } = await connect(
      create,
      refuses(429, { error: { message: "slow down" } }, { "retry-after": "2" }),
      answers,
    );
    expect((await ask(someSession(), "How many?")).text).toBe("Fifty [1].");
    expect(waits).toEqual([2_000]);
  });

  test(`stopping a model of specification ${version} hangs up on its provider`, async () => {
    const { chat, request, server } = await connect(
      create,
      streamsThen([{ content: "On and on" }], () => undefined),
    );
    const session = someSession();
    const response = await chat(session, { messages: [someQuestion("Go on")] });
    const reader = (response.clone().body as ReadableStream<Uint8Array>).getReader();
    for (let text = ""; !text.includes("On and on"); ) {
      text += Buffer.from((await reader.read()).value ?? []).toString();
    }
    void reader.cancel();
    const path = `/chat/${response.headers.get("x-thread-id")}/stop`;
    await request(session, path, { method: "POST" });
    await server.hungUp;
    expect((await readAnswer(response)).parts.at(-1)).toEqual({ type: "abort" });
  });
}

/** A model object that says these parts, whatever their specification. */
function object(specificationVersion: string, ...parts: readonly object[]): AiSdkModel {
  return {
    specificationVersion,
    provider: "own",
    modelId: "m",
    doStream: async () => ({
      stream: new ReadableStream<unknown>({
        start(controller) {
          for (const part of parts) controller.enqueue(part);
          controller.close();
        },
      }),
    }),
  };
}

test("arguments that a model of specification 4 streams as text are shown with their call only", async () => {
  const model = object(
    "v4",
    { type: "stream-start", warnings: [] },
    { type: "ping" },
    { type: "tool-input-start", id: "c_1", toolName: "open_billing", inputEncoding: "text" },
    { type: "tool-input-delta", id: "c_1", delta: "*** plan ***" },
    { type: "tool-input-end", id: "c_1" },
    { type: "tool-call", toolCallId: "c_1", toolName: "open_billing", input: '{"plan":"pro"}' },
    { type: "custom", kind: "own.thing" },
    { type: "finish", finishReason: { unified: "tool-calls", raw: "x" }, usage: {} },
  );
  const models = createModels({ config: {}, embedded, model });
  const { ask } = await createAgentHarness({ models });
  const tools = [{ name: "open_billing", description: "Opens billing.", inputSchema: {} }];
  const { parts } = await ask(someSession(), "Open it", { tools });
  expect(typesOf(parts).filter((type) => type.startsWith("tool-"))).toEqual([
    "tool-input-start",
    "tool-input-available",
  ]);
  expect(only(parts, "tool-input-available")[0]?.input).toEqual({ plan: "pro" });
  expect(parts.at(-1)).toEqual({ type: "finish", finishReason: "tool-calls" });
});

test.each(["unknown", "error"])(
  "a model of specification 2 that finishes with %s has not finished",
  async (finishReason) => {
    const model = object("v2", ...says("Half"), { type: "finish", finishReason, usage: {} });
    const { ask } = await createAgentHarness({
      models: createModels({ config: {}, embedded, model }),
    });
    const { parts } = await ask(someSession(), "Is it?");
    expect(only(parts, "data-error")[0]?.data.code).toBe("model_unavailable");
  },
);

test("a model of specification 3 is used as it is", async () => {
  const model = createScriptedModel([...says("Yes.")]) satisfies {
    doStream(options: never): PromiseLike<{ stream: ReadableStream<LanguageModelV3StreamPart> }>;
  };
  expect(fromAiSdk(model)).toBe(model);
});

test("a model of another specification, and what is no model, is refused when the server is opened", async () => {
  const config = readConfig({ VALET_DATA_DIR: "/nonexistent/never-made" });
  await expect(openServer(config, { model: object("v5") })).rejects.toThrow(
    "The model own/m follows specification v5 of the AI SDK; Valet runs v2, v3, v4.",
  );
  await expect(openServer(config, { model: object("v1") })).rejects.toThrow("specification v1");
  for (const model of ["openai/gpt-5", null, {}]) {
    await expect(openServer(config, { model: model as unknown as AiSdkModel })).rejects.toThrow(
      "must be a model object",
    );
  }
});

test("a model object beside VALET_MODEL is a mistake, and its name may be asked for", () => {
  const model = object("v3");
  const config = { model: "openai-compatible/x", modelBaseUrl: "http://127.0.0.1:1/v1" };
  expect(() => createModels({ config, embedded, model })).toThrow("VALET_MODEL");
  const models = createModels({ config: {}, embedded, model });
  expect(models.names).toEqual(["valet-agent-1.0", "kapa-agent-1.0", "own/m"]);
  expect(models.defaultName).toBe("own/m");
});
