import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { afterAll, afterEach, expect, test } from "vitest";
import { createModels } from "../agent/models/registry.ts";
import {
  createAgentHarness,
  only,
  readAnswer,
  someQuestion,
  someSession,
} from "../agent/testing/agent-harness.ts";
import type { AiSdkModel } from "../index.ts";
import { recordModel } from "./record-model.ts";
import { replayModel } from "./replay-model.ts";
import { scriptedAnthropicServer } from "./scripted-anthropic-server.ts";
import { scriptedModel } from "./scripted-model.ts";
import { scriptedOpenAiServer } from "./scripted-openai-server.ts";
import type { ScriptedServer } from "./scripted-server.ts";
import type { ScriptedStep } from "./scripted-step.ts";
import { testServer } from "./test-server.ts";

const folder = mkdtempSync(join(tmpdir(), "valet-kit-"));
const open: ScriptedServer[] = [];
let files = 0;
const newFile = () => {
  files += 1;
  return join(folder, `cassette-${files}.jsonl`);
};

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const openBilling = { name: "open_billing", description: "Opens billing.", inputSchema: {} };
const searches: ScriptedStep = {
  reasoning: "I should search.",
  text: "Let me look.",
  calls: [{ name: "search_knowledge_base", input: { query: "limits" } }],
};
const answers: ScriptedStep = { text: ["Fifty", " [1]."] };

async function agentOn(model: AiSdkModel) {
  const waits: number[] = [];
  const models = createModels({ config: {}, embedded: scriptedModel({}), model });
  const harness = await createAgentHarness({ models, onSleep: (ms) => waits.push(ms) });
  return { ...harness, waits };
}

/** The frames of an answer without the ids that differ by run. */
async function framesOf(model: AiSdkModel, questions: readonly string[]): Promise<string> {
  const { ask } = await agentOn(model);
  const session = someSession({ owner: "jo" });
  const frames: string[] = [];
  for (const question of questions) {
    const { parts, runId, threadId } = await ask(session, question, { tools: [openBilling] });
    const partPrefix = runId.slice(4, 12);
    frames.push(
      JSON.stringify(parts)
        .replaceAll(runId, "run")
        .replaceAll(threadId, "thread")
        .replaceAll(partPrefix, "part")
        .replace(/msg_\w{22}/g, "message"),
    );
  }
  return frames.join("\n");
}

const step: ScriptedStep = {
  reasoning: ["I should ", "search."],
  text: ["Let ", "me."],
  calls: [
    { name: "open_billing", input: { plan: "pro" } },
    { name: "open_billing", input: "{not json", id: "mine" },
  ],
  usage: { inputTokens: 21, outputTokens: 4 },
};

test("a step says the same as an object and over both protocols", async () => {
  const openAi = await scriptedOpenAiServer(step);
  const anthropic = await scriptedAnthropicServer(step);
  open.push(openAi, anthropic);
  const models = [
    ["openai-compatible/m", openAi],
    ["anthropic/m", anthropic],
  ] as const;
  const told = [
    await tell(
      createModels({ config: {}, embedded: scriptedModel({}), model: scriptedModel(step) }),
    ),
  ];
  for (const [model, { baseUrl }] of models) {
    const config = { model, modelBaseUrl: baseUrl, modelApiKey: "key" };
    told.push(await tell(createModels({ config, embedded: scriptedModel({}) })));
  }
  expect(told[0]).toEqual({
    thoughts: "I should search.",
    text: "Let me.",
    ids: ["call_1", "mine"],
    inputs: [{ plan: "pro" }],
    invalid: ["{not json"],
    usage: { inputTokens: 21, outputTokens: 4 },
    finish: { type: "finish", finishReason: "tool-calls" },
  });
  expect(told[1]).toEqual(told[0]);
  expect(told[2]).toEqual(told[0]);
  expect(openAi.requests[0]?.headers.authorization).toBe("Bearer key");
  expect(anthropic.requests[0]?.headers["x-api-key"]).toBe("key");
});

async function tell(models: ReturnType<typeof createModels>) {
  const { ask } = await createAgentHarness({ models });
  const { parts, text } = await ask(someSession(), "Open", { tools: [openBilling] });
  return {
    thoughts: only(parts, "reasoning-delta")
      .map(({ delta }) => delta)
      .join(""),
    text,
    ids: only(parts, "tool-input-start").map(({ toolCallId }) => toolCallId),
    inputs: only(parts, "tool-input-available").map(({ input }) => input),
    invalid: only(parts, "tool-input-error").map(({ input }) => input),
    usage: only(parts, "message-metadata")[0]?.messageMetadata.usage,
    finish: parts.at(-1),
  };
}

test("answers that are written at the same time do not get into each other", async () => {
  for (const start of [scriptedOpenAiServer, scriptedAnthropicServer]) {
    const server = await start({ ...step, text: ["a", "b", "c"] });
    open.push(server);
    const provider = start === scriptedOpenAiServer ? "openai-compatible" : "anthropic";
    const config = { model: `${provider}/m`, modelBaseUrl: server.baseUrl, modelApiKey: "key" };
    const models = createModels({ config, embedded: scriptedModel({}) });
    const told = await Promise.all(Array.from({ length: 5 }, () => tell(models)));
    for (const { text, inputs } of told) {
      expect(text).toBe("abc");
      expect(inputs).toEqual([{ plan: "pro" }]);
    }
  }
});

test("a script may read the request, and its last step serves all later ones", async () => {
  const model = scriptedModel(answers, ({ prompt }) => ({ text: `${prompt.length} messages` }));
  const { ask, chat } = await agentOn(model);
  const session = someSession({ owner: "jo" });
  const { threadId } = await ask(session, "One?");
  for (const messages of [4, 6]) {
    const next = await chat(session, { id: threadId, messages: [someQuestion("And?")] });
    expect((await readAnswer(next)).text).toBe(`${messages} messages`);
  }
  expect(model.calls).toHaveLength(3);
  expect(() => scriptedModel()).toThrow(RangeError);
});

test("what was recorded of a real model over HTTP is replayed frame by frame, without the network", async () => {
  const server = await scriptedOpenAiServer(searches, answers, { text: "You are welcome." });
  open.push(server);
  const file = newFile();
  const real = createOpenAICompatible({
    name: "own",
    baseURL: server.baseUrl,
    apiKey: "sk-live-4f9a8b7c6d5e",
    includeUsage: true,
  })("m");
  const questions = ["How many?", "Thanks"];
  const recorded = await framesOf(recordModel(real, file), questions);
  expect(recorded).toContain("Fifty");
  await server.close();
  expect(await framesOf(replayModel(file), questions)).toBe(recorded);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ ended: "finished" });
});

test("a cassette has no credential in it: none of a header, of a text, or that it was told of", async () => {
  const file = newFile();
  const model = scriptedModel({
    text: "Your key sk-test-abcdefgh123 and hunter2hunter2 and Bearer abcdefghijkl.",
  });
  const secrets = ["hunter2hunter2"];
  const question = "Is agk_live_12345678 or hunter2hunter2 right?";
  await framesOf(recordModel(model, file, { secrets }), [question]);
  const text = readFileSync(file, "utf8");
  expect(text).not.toMatch(/sk-test|hunter2|abcdefghijkl|agk_live/);
  expect(text.match(/\[redacted\]/g)?.length).toBe(5);
  // The replay hides the same, so that the same question fits.
  expect(await framesOf(replayModel(file, { secrets }), [question])).toContain("[redacted]");
});

test.each(["cut", "error", "reset"] as const)(
  "a stream that failed by %s behind its words fails the same way again",
  async (fails) => {
    const file = newFile();
    const recorded = await framesOf(recordModel(scriptedModel({ text: "Half", fails }), file), [
      "?",
    ]);
    expect(recorded).toContain("model_unavailable");
    expect(await framesOf(replayModel(file), ["?"])).toBe(recorded);
  },
);

test("a refusal is replayed with its status and its time to wait, and without its words", async () => {
  const file = newFile();
  const headers = { "retry-after": "3" };
  const refuses = { status: 429, message: "organization acme is over its limit", headers };
  await framesOf(recordModel(scriptedModel({ refuses }, answers), file), ["?"]);
  expect(readFileSync(file, "utf8")).not.toContain("acme");
  const { ask, waits } = await agentOn(replayModel(file));
  expect((await ask(someSession(), "?", { tools: [openBilling] })).text).toBe("Fifty [1].");
  expect(waits).toEqual([3_000]);
});

test("a call that asks something else than the recorded one fails, and the log says what", async () => {
  const file = newFile();
  await framesOf(recordModel(scriptedModel(answers), file), ["How many?"]);
  const expectLog = async (
    model: AiSdkModel,
    question: string,
    words: string,
    tools = [openBilling],
  ) => {
    const { ask, log } = await agentOn(model);
    const { parts } = await ask(someSession(), question, { tools });
    expect(only(parts, "data-error")[0]?.data.code).toBe("model_rejected");
    expect(log.join()).toContain(words);
  };
  await expectLog(replayModel(file), "How much?", "message 2 of its prompt (user)");
  await expectLog(replayModel(file), "How many?", "its tools", []);
  const used = replayModel(file);
  const { ask } = await agentOn(used);
  await ask(someSession(), "How many?", { tools: [openBilling] });
  await expectLog(used, "How many?", "has 1 calls; this is one more");
  const lenient = await agentOn(replayModel(file, { strict: false }));
  expect((await lenient.ask(someSession(), "How much?")).text).toBe("Fifty [1].");
  writeFileSync(file, '{"oops":1}\n');
  expect(() => replayModel(file)).toThrow("Line 1");
});

test("a test server answers over HTTP from its documents, and leaves nothing behind", async () => {
  writeFileSync(join(folder, "limits.md"), "# Limits\n\nBursts of 50 requests are allowed.\n");
  const model = scriptedModel(
    { calls: [{ name: "search_knowledge_base", input: { query: "bursts" } }] },
    answers,
  );
  const server = await testServer({ model, documents: join(folder, "limits.md") });
  const agent = `${server.url}/agent/v1/projects/${server.projectId}/agent`;
  const minted = await fetch(`${agent}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": server.apiKey, "content-type": "application/json" },
    body: JSON.stringify({ integration_id: server.integrationId }),
  });
  const { session_token: token } = (await minted.json()) as { session_token: string };
  const answer = await readAnswer(
    await fetch(`${agent}/chat/`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ messages: [someQuestion("How many?")] }),
    }),
  );
  expect(answer.text).toBe("Fifty [1].");
  expect(only(answer.parts, "source-url")[0]?.title).toBe("Limits");
  await server.close();
  await expect(fetch(server.url)).rejects.toThrow();
  await expect(testServer({ documents: join(folder, "nowhere") })).rejects.toThrow();
  await expect(testServer({ variables: { VALET_PORT: "x" } })).rejects.toThrow("configuration");
});
