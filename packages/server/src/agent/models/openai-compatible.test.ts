import { afterEach, expect, test } from "vitest";
import {
  type AgentHarness,
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
import { createScriptedModel } from "../testing/scripted-model.ts";
import { createModels } from "./registry.ts";

const secret = "sk-live-4f9a8b7c6d5e4f3a2b1c";
let open: OpenAiServer | undefined;

afterEach(async () => {
  await open?.close();
  open = undefined;
});

/** The whole route on the real provider package, over real HTTP. */
async function connect(
  ...replies: readonly OpenAiReply[]
): Promise<AgentHarness & { readonly server: OpenAiServer; readonly waits: number[] }> {
  const server = await startOpenAiServer(...replies);
  open = server;
  const waits: number[] = [];
  const models = createModels({
    config: {
      model: "openai-compatible/some/model",
      modelBaseUrl: server.baseUrl,
      modelApiKey: secret,
    },
    embedded: createScriptedModel(),
  });
  const harness = await createAgentHarness({ models, onSleep: (ms) => waits.push(ms) });
  return { ...harness, server, waits };
}

const searches = streams(
  [
    {
      role: "assistant",
      tool_calls: [
        {
          index: 0,
          id: "call_1",
          type: "function",
          function: { name: "search_knowledge_base", arguments: '{"que' },
        },
      ],
    },
    { tool_calls: [{ index: 0, function: { arguments: 'ry":"limits"}' } }] },
  ],
  "tool_calls",
);
const answers = streams([{ role: "assistant", content: "Fifty" }, { content: " [1]." }], "stop");

test("a real provider searches, is told the passages, and answers with citations and usage", async () => {
  const { ask, server } = await connect(searches, answers);
  const { parts, text } = await ask(someSession(), "How many?");
  expect(text).toBe("Fifty [1].");
  expect(only(parts, "tool-input-available")[0]).toMatchObject({
    toolCallId: "call_1",
    input: { query: "limits" },
  });
  expect(only(parts, "message-metadata")[0]?.messageMetadata).toEqual({
    cited: ["s1"],
    usage: { inputTokens: 14, outputTokens: 6 },
  });
  expect(parts.at(-1)).toEqual({ type: "finish", finishReason: "stop" });
  expect(server.requests[0]).toMatchObject({ model: "some/model" });
  expect(server.requests[0]?.tools?.map((tool) => tool.function.name)).toEqual([
    "search_knowledge_base",
  ]);
  const told = server.requests[1]?.messages.at(-1);
  expect(told).toMatchObject({ role: "tool", tool_call_id: "call_1" });
  expect(JSON.parse(String(told?.content))).toMatchObject({ passages: [{ number: 1 }] });
  expect(server.credentials).toEqual([`Bearer ${secret}`, `Bearer ${secret}`]);
});

test("a busy provider is asked once more after the time it names", async () => {
  const { ask, waits } = await connect(
    refuses(429, { error: { message: "slow down" } }, { "retry-after": "2" }),
    answers,
  );
  expect((await ask(someSession(), "How many?")).text).toBe("Fifty [1].");
  expect(waits).toEqual([2_000]);
});

test("a provider that stays busy fails the run, retryable, after that time", async () => {
  const { ask, server } = await connect(
    refuses(429, { error: { message: "slow down" } }, { "retry-after": "2" }),
  );
  const { parts } = await ask(someSession(), "How many?");
  expect(server.requests).toHaveLength(2);
  expect(only(parts, "data-error")[0]?.data).toMatchObject({
    code: "model_unavailable",
    retryable: true,
    retryAfterMs: 2_000,
  });
});

test.each([
  ["ends too early", (response: { end(): void }) => response.end()],
  ["is reset", (response: { destroy(): void }) => response.destroy()],
  ["is not JSON", (response: { end(text: string): void }) => response.end("data: {oops\n\n")],
])("a stream that %s is a failure after the text so far", async (_, then) => {
  const { ask, server } = await connect(streamsThen([{ content: "Half" }], then));
  const { parts, text } = await ask(someSession(), "How many?");
  expect(text).toBe("Half");
  expect(server.requests).toHaveLength(1);
  expect(only(parts, "data-error")[0]?.data).toMatchObject({
    code: "model_unavailable",
    retryable: true,
  });
  expect(typesOf(parts).slice(-3)).toEqual(["data-error", "error", "finish"]);
});

test("what a provider says of a credential reaches neither the client nor the log", async () => {
  const { ask, log, server } = await connect(
    refuses(401, { error: { message: `Incorrect API key provided: ${secret}.` } }),
  );
  const { parts, events } = await ask(someSession(), "How many?");
  expect(only(parts, "data-error")[0]?.data).toMatchObject({
    code: "model_rejected",
    retryable: false,
  });
  expect(server.requests).toHaveLength(1);
  const sent = JSON.stringify(events);
  expect(sent).not.toContain(secret);
  expect(sent).not.toContain("Incorrect");
  expect(log.join()).toContain("Incorrect API key provided: [redacted]");
  expect(log.join()).not.toContain(secret);
});

test("an address where nobody listens is a failure that may pass", async () => {
  const { ask, server } = await connect(answers);
  await server.close();
  const { parts } = await ask(someSession(), "How many?");
  expect(only(parts, "data-error")[0]?.data).toMatchObject({
    code: "model_unavailable",
    retryable: true,
  });
});

test("stopping hangs up on the provider", async () => {
  const { chat, request, server } = await connect(
    streamsThen([{ content: "On and on" }], () => undefined),
  );
  const session = someSession();
  const response = await chat(session, { messages: [someQuestion("Go on")] });
  const threadId = response.headers.get("x-thread-id");
  const reader = (response.clone().body as ReadableStream<Uint8Array>).getReader();
  for (let text = ""; !text.includes("On and on"); ) {
    text += Buffer.from((await reader.read()).value ?? []).toString();
  }
  void reader.cancel();
  await request(session, `/chat/${threadId}/stop`, { method: "POST" });
  await server.hungUp;
  expect((await readAnswer(response)).parts.at(-1)).toEqual({ type: "abort" });
});
