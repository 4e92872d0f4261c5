import { afterEach, expect, test } from "vitest";
import { scriptedAnthropicServer } from "../../test-kit/scripted-anthropic-server.ts";
import { scriptedOpenAiServer } from "../../test-kit/scripted-openai-server.ts";
import type { ScriptedRequest, ScriptedServer } from "../../test-kit/scripted-server.ts";
import type { ScriptedStep } from "../../test-kit/scripted-step.ts";
import {
  type AgentHarness,
  createAgentHarness,
  only,
  readAnswer,
  someQuestion,
  someSession,
  typesOf,
} from "../testing/agent-harness.ts";
import { createScriptedModel } from "../testing/scripted-model.ts";
import type { ModelConfig } from "./model-config.ts";
import { createModels } from "./registry.ts";

const secret = "sk-live-4f9a8b7c6d5e4f3a2b1c";
let open: ScriptedServer | undefined;

afterEach(async () => {
  await open?.close();
  open = undefined;
});

interface Connected extends AgentHarness {
  readonly provider: ScriptedServer;
  readonly waits: number[];
}

/** The whole agent on a real provider package, over real HTTP. */
async function connect(
  [model, start]: Provider,
  steps: readonly ScriptedStep[],
  config: ModelConfig = {},
): Promise<Connected> {
  const provider = await start(...steps);
  open = provider;
  const waits: number[] = [];
  const models = createModels({
    config: { model, modelBaseUrl: provider.baseUrl, modelApiKey: secret, ...config },
    embedded: createScriptedModel(),
  });
  const harness = await createAgentHarness({ models, onSleep: (ms) => waits.push(ms) });
  return { ...harness, provider, waits };
}

type Provider = readonly [model: string, start: typeof scriptedOpenAiServer];

const providers: readonly Provider[] = [
  ["openai-compatible/some/model", scriptedOpenAiServer],
  ["openai/gpt-scripted", scriptedOpenAiServer],
  ["anthropic/claude-scripted", scriptedAnthropicServer],
];
const anthropic = providers[2] as Provider;

const search = (query: string) => ({ name: "search_knowledge_base", input: { query } });
const answers: ScriptedStep = { text: ["Fifty", " [1]."] };

/** What nobody outside may hear. */
const words = `Incorrect API key provided: ${secret}, ask your administrator.`;

/** Where a provider is told what the tools gave. */
function toolResults({ body }: ScriptedRequest): string {
  return JSON.stringify((body.messages as unknown[]).slice(-2));
}

async function untilSaid(response: Response, text: string): Promise<void> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  for (let all = ""; !all.includes(text); ) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The stream ended without ${text}.`);
    all += Buffer.from(value).toString();
  }
  void reader.cancel();
}

for (const each of providers) {
  const name = each[0].split("/")[0] ?? "";

  test(`${name}: two calls side by side, in split arguments, are run, and their results told under their ids`, async () => {
    const { ask, provider } = await connect(each, [
      { text: "Let me look.", calls: [search("limits"), search("bursts")] },
      { ...answers, usage: { inputTokens: 30, outputTokens: 6 } },
    ]);
    const { parts, text } = await ask(someSession(), "How many?");
    expect(text).toBe("Let me look.Fifty [1].");
    const inputs = only(parts, "tool-input-available");
    expect(inputs.map(({ toolCallId, input }) => [toolCallId, input])).toEqual([
      ["call_1", { query: "limits" }],
      ["call_2", { query: "bursts" }],
    ]);
    expect(only(parts, "tool-input-start").map(({ toolCallId }) => toolCallId)).toEqual([
      "call_1",
      "call_2",
    ]);
    for (const { toolCallId, input } of inputs) {
      const deltas = only(parts, "tool-input-delta").filter(
        (part) => part.toolCallId === toolCallId,
      );
      expect(deltas.length).toBeGreaterThan(1);
      expect(JSON.parse(deltas.map((part) => part.inputTextDelta).join(""))).toEqual(input);
    }
    const told = toolResults(provider.requests[1] as ScriptedRequest);
    for (const id of ["call_1", "call_2"]) expect(told).toContain(id);
    expect(told).toContain("quotations from the documentation");
    expect(only(parts, "message-metadata")[0]?.messageMetadata).toEqual({
      cited: ["s1"],
      usage: { inputTokens: 40, outputTokens: 11 },
    });
    expect(parts.at(-1)).toEqual({ type: "finish", finishReason: "stop" });
  });

  test(`${name}: what comes slowly goes on as it comes`, async () => {
    let release: () => void = () => undefined;
    const pause = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { chat } = await connect(each, [{ text: ["One ", "two."], beforePiece: () => pause }]);
    const response = await chat(someSession(), { messages: [someQuestion("Count")] });
    const whole = response.clone();
    // The provider writes its second word only when the first has been seen here.
    await untilSaid(response, "One ");
    release();
    expect((await readAnswer(whole)).text).toBe("One two.");
  });

  test.each([
    [429, { "retry-after": "2" }, 2_000],
    [429, { "retry-after-ms": "1500" }, 1_500],
    [529, {}, 500],
    [503, {}, 500],
    [408, {}, 500],
  ] as const)(
    `${name}: a refusal with %i and %o is asked again once, after its time`,
    async (status, headers, waitMs) => {
      const { ask, waits, provider } = await connect(each, [
        { refuses: { status, headers, message: words } },
        answers,
      ]);
      expect((await ask(someSession(), "How many?")).text).toBe("Fifty [1].");
      expect(waits).toEqual([waitMs]);
      expect(provider.requests).toHaveLength(2);
    },
  );

  test(`${name}: one that stays overloaded fails the run, retryable, with the time to wait`, async () => {
    const { ask, provider } = await connect(each, [
      { refuses: { status: 529, headers: { "retry-after": "4" }, message: words } },
    ]);
    const { parts } = await ask(someSession(), "How many?");
    expect(provider.requests).toHaveLength(2);
    expect(only(parts, "data-error")[0]?.data).toEqual({
      code: "model_unavailable",
      retryable: true,
      retryAfterMs: 4_000,
      requestId: "req_test",
    });
  });

  test.each(["cut", "reset", "malformed", "error"] as const)(
    `${name}: a stream that fails by %s is a failure behind the words so far, which stay, and is not asked again`,
    async (fails) => {
      const { ask, store, log, provider } = await connect(each, [{ text: ["Half ", "of"], fails }]);
      const { parts, text, events, threadId } = await ask(someSession(), "How many?");
      expect(text).toBe("Half of");
      expect(provider.requests).toHaveLength(1);
      expect(only(parts, "data-error")[0]?.data).toEqual({
        code: "model_unavailable",
        retryable: true,
        requestId: "req_test",
      });
      expect(typesOf(parts).slice(-3)).toEqual(["data-error", "error", "finish"]);
      expect(JSON.stringify(events)).not.toContain("provider says");
      expect(log.join()).not.toContain(secret);
      const { messages } = await store.read(threadId, 9);
      expect(messages[1]).toMatchObject({ error: "model_unavailable" });
      expect(messages[1]?.parts).toContain("Half of");
    },
  );

  test.each(["cut", "reset", "malformed"] as const)(
    `${name}: a stream that fails by %s before its first word is asked again`,
    async (fails) => {
      const { ask, provider } = await connect(each, [{ fails }, answers]);
      expect((await ask(someSession(), "How many?")).text).toBe("Fifty [1].");
      expect(provider.requests).toHaveLength(2);
    },
  );

  test(`${name}: a call whose stream was cut is not made`, async () => {
    const { ask } = await connect(each, [{ calls: [search("limits")], fails: "cut" }]);
    const { parts } = await ask(someSession(), "How many?");
    expect(only(parts, "tool-output-available")).toEqual([]);
    expect(only(parts, "data-error")[0]?.data.code).toBe("model_unavailable");
  });

  test.each([400, 401, 403, 404])(
    `${name}: what it says with %i reaches neither the client nor the log with a key in it`,
    async (status) => {
      const { ask, log, provider } = await connect(each, [{ refuses: { status, message: words } }]);
      const { parts, events } = await ask(someSession(), "How many?");
      expect(provider.requests).toHaveLength(1);
      expect(only(parts, "data-error")[0]?.data).toEqual({
        code: "model_rejected",
        retryable: false,
        requestId: "req_test",
      });
      expect(JSON.stringify(events)).not.toMatch(/Incorrect|administrator|sk-live/);
      expect(log.join()).toContain("Incorrect API key provided: [redacted]");
      expect(log.join()).not.toContain(secret);
      expect(JSON.stringify(provider.requests[0]?.headers)).toContain(secret);
    },
  );

  test(`${name}: stopping hangs up on it in the middle of its words`, async () => {
    const { chat, request, provider } = await connect(each, [
      { text: "On and on", fails: "hangs" },
    ]);
    const session = someSession();
    const response = await chat(session, { messages: [someQuestion("Go on")] });
    const whole = response.clone();
    await untilSaid(response, "On and on");
    const path = `/chat/${response.headers.get("x-thread-id")}/stop`;
    await request(session, path, { method: "POST" });
    await provider.hungUp;
    expect((await readAnswer(whole)).parts.at(-1)).toEqual({ type: "abort" });
    expect(provider.open).toBe(0);
  });

  test(`${name}: a bound on what it may say is in the request`, async () => {
    const { ask, provider } = await connect(each, [answers]);
    await ask(someSession({ policy: { limits: { modelTokens: 3_000 } } }), "How many?");
    const { max_tokens, max_completion_tokens } = provider.requests[0]?.body ?? {};
    expect(Number(max_tokens ?? max_completion_tokens)).toBeLessThan(3_000);
  });
}

const thinking = { anthropic: { thinking: { type: "enabled", budgetTokens: 2_000 } } };
const openBilling = { name: "open_billing", description: "Opens billing.", inputSchema: {} };

test("anthropic: what it thinks is streamed, and told back with its signature in the next step", async () => {
  const { ask, provider } = await connect(
    anthropic,
    [
      { reasoning: ["I should ", "search."], text: "Let me look.", calls: [search("limits")] },
      answers,
    ],
    { modelOptions: thinking },
  );
  const { parts } = await ask(someSession(), "How many?");
  expect(
    only(parts, "reasoning-delta")
      .map(({ delta }) => delta)
      .join(""),
  ).toBe("I should search.");
  expect(provider.requests[0]?.body.thinking).toEqual({ type: "enabled", budget_tokens: 2_000 });
  const told = provider.requests[1]?.body.messages as { role: string; content: unknown[] }[];
  expect(told.at(-2)).toMatchObject({
    role: "assistant",
    content: [
      { type: "thinking", thinking: "I should search.", signature: "signed-by-the-provider" },
      { type: "text", text: "Let me look." },
      { type: "tool_use", id: "call_1", input: { query: "limits" } },
    ],
  });
});

test("anthropic: what it thought before a call of the page is told back with the result, and kept no longer than that", async () => {
  const { ask, chat, store, provider } = await connect(
    anthropic,
    [
      { reasoning: "First, the docs.", calls: [search("limits")] },
      { reasoning: "Then, the page.", calls: [{ name: "open_billing", input: { plan: "pro" } }] },
      { reasoning: "Done.", text: "It is open." },
      { text: "You are welcome." },
    ],
    { modelOptions: thinking },
  );
  const session = someSession({ owner: "jo" });
  const { threadId } = await ask(session, "Open it", { tools: [openBilling] });
  const stored = async () =>
    (await store.read(threadId, 9)).messages.map(({ parts }) => parts).join();
  expect(await stored()).toContain("Then, the page.");
  const body = { id: threadId, tools: [openBilling] };
  const toolOutputs = [{ toolCallId: "call_2", output: "opened" }];
  await readAnswer(await chat(session, { ...body, toolOutputs }));
  const told = provider.requests[2]?.body.messages as { role: string; content: unknown[] }[];
  expect(told.filter(({ role }) => role === "assistant")).toMatchObject([
    {
      content: [
        { type: "thinking", thinking: "First, the docs.", signature: "signed-by-the-provider" },
        { type: "tool_use", id: "call_1" },
      ],
    },
    {
      content: [
        { type: "thinking", thinking: "Then, the page.", signature: "signed-by-the-provider" },
        { type: "tool_use", id: "call_2", input: { plan: "pro" } },
      ],
    },
  ]);
  expect(await stored()).not.toMatch(/First, the docs|Then, the page|Done\.|signed-by/);
  // In the next turn nobody needs it any more.
  await readAnswer(await chat(session, { ...body, messages: [someQuestion("Thanks")] }));
  expect(JSON.stringify(provider.requests[3]?.body)).not.toContain("signed-by");
});

test("anthropic: an answer that failed behind the page's results goes on from them, with what was thought and without the half of it", async () => {
  const { ask, chat, store, provider } = await connect(
    anthropic,
    [
      { reasoning: "To the page.", calls: [{ name: "open_billing", input: { plan: "pro" } }] },
      { reasoning: "Half a thought", text: "Half an ", fails: "cut" },
      { text: "It is open." },
    ],
    { modelOptions: thinking },
  );
  const session = someSession({ owner: "jo" });
  const { threadId } = await ask(session, "Open it", { tools: [openBilling] });
  const body = {
    id: threadId,
    tools: [openBilling],
    toolOutputs: [{ toolCallId: "call_1", output: "opened" }],
  };
  const failed = await readAnswer(await chat(session, body));
  expect(only(failed.parts, "data-error")[0]?.data.code).toBe("model_unavailable");
  const again = await readAnswer(await chat(session, body));
  expect(again.parts.at(-1)).toEqual({ type: "finish", finishReason: "stop" });
  const told = provider.requests[2]?.body.messages as { role: string; content: object[] }[];
  expect(told.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  expect(told[1]?.content).toMatchObject([
    { type: "thinking", thinking: "To the page.", signature: "signed-by-the-provider" },
    { type: "tool_use", id: "call_1" },
  ]);
  expect(told[2]?.content).toMatchObject([{ type: "tool_result", tool_use_id: "call_1" }]);
  const stored = (await store.read(threadId, 9)).messages.map(({ parts }) => parts).join();
  expect(stored).toContain("It is open.");
  expect(stored).not.toMatch(/To the page|Half a thought|signed-by/);
});

test("an address where nobody listens is a failure that may pass", async () => {
  const { ask, provider } = await connect(anthropic, [answers]);
  await provider.close();
  const { parts } = await ask(someSession(), "How many?");
  expect(only(parts, "data-error")[0]?.data).toMatchObject({
    code: "model_unavailable",
    retryable: true,
  });
});
