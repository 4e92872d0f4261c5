import { isTerminal } from "@valet/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  createAgentHarness,
  only,
  readAnswer,
  somePassage,
  someQuestion,
  someSession,
  typesOf,
} from "./testing/agent-harness.ts";
import {
  calls,
  createScriptedModel,
  finishes,
  type Script,
  type ScriptMove,
  says,
} from "./testing/scripted-model.ts";

const search = (id: string, query: string) => calls(id, "search_knowledge_base", { query });
const pageTool = { name: "open_billing", description: "Opens billing.", inputSchema: {} };

test("an answer from the documentation goes out as search, sources, text with citations, finish", async () => {
  const model = createScriptedModel(
    [search("c_1", "rate limit"), finishes("tool-calls")],
    [...says("Bursts of 50 ", "are allowed [1]."), finishes()],
  );
  const { ask } = await createAgentHarness({ model });
  const { parts, events } = await ask(someSession(), "How many?");
  expect(typesOf(parts)).toEqual([
    "start",
    "start-step",
    "tool-input-available",
    "tool-output-available",
    "source-url",
    "finish-step",
    "start-step",
    "text-start",
    "text-delta",
    "text-delta",
    "text-end",
    "finish-step",
    "message-metadata",
    "finish",
  ]);
  expect(only(parts, "tool-output-available")[0]?.output).toEqual({
    results: [
      {
        number: 1,
        title: "Limits",
        url: "https://docs.example.com/limits#burst",
        headingPath: ["Limits", "Burst"],
        snippet: "Bursts of 50 requests are allowed.",
      },
    ],
  });
  expect(only(parts, "source-url")[0]).toMatchObject({
    sourceId: "s1",
    providerMetadata: { valet: { number: 1, toolCallId: "c_1" } },
  });
  expect(only(parts, "message-metadata")[0]?.messageMetadata).toEqual({
    cited: ["s1"],
    usage: { inputTokens: 20, outputTokens: 10 },
  });
  expect(events.at(-1)).toEqual({ id: "", data: "[DONE]" });
  const runId = events[0]?.id.split(":")[0];
  expect(events.slice(0, -1).map(({ id }) => id)).toEqual(parts.map((_, seq) => `${runId}:${seq}`));
});

test("the model is told the passages as numbered data, with a note that they instruct nothing", async () => {
  const model = createScriptedModel(
    [search("c_1", "limit"), finishes("tool-calls")],
    [...says("Yes [1]."), finishes()],
  );
  const { ask } = await createAgentHarness({ model });
  await ask(someSession(), "How many?");
  const told = model.calls[1]?.prompt.at(-1);
  expect(told).toMatchObject({
    role: "tool",
    content: [
      {
        toolCallId: "c_1",
        output: {
          type: "json",
          value: {
            passages: [
              {
                number: 1,
                title: "Limits",
                heading_path: ["Limits", "Burst"],
                text: somePassage().text,
                quote: somePassage().quote,
                confidence: 0.9,
              },
            ],
            note: expect.stringContaining("data"),
          },
        },
      },
    ],
  });
});

test("the calls of one step run side by side", async () => {
  const model = createScriptedModel(
    [search("c_1", "a"), search("c_2", "b"), finishes("tool-calls")],
    [...says("Done."), finishes()],
  );
  const started: string[] = [];
  let release: () => void = () => undefined;
  const both = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { ask } = await createAgentHarness({
    model,
    passages: async (query) => {
      started.push(query);
      if (started.length === 2) release();
      await both;
      return [somePassage({ url: `https://docs.example.com/${query}` })];
    },
  });
  const { parts } = await ask(someSession(), "Both?");
  expect(started).toEqual(["a", "b"]);
  expect(only(parts, "source-url").map(({ sourceId }) => sourceId)).toEqual(["s1", "s2"]);
  expect(model.calls[1]?.prompt.at(-1)).toMatchObject({
    content: [{ toolCallId: "c_1" }, { toolCallId: "c_2" }],
  });
});

test("reasoning and interleaved blocks keep ids of their own", async () => {
  const model = createScriptedModel([
    { type: "reasoning-start", id: "0" },
    { type: "reasoning-delta", id: "0", delta: "Hm." },
    { type: "text-start", id: "0" },
    { type: "text-delta", id: "0", delta: "Yes." },
    { type: "reasoning-end", id: "0" },
    { type: "text-end", id: "0" },
    finishes(),
  ]);
  const { ask } = await createAgentHarness({ model });
  const { parts } = await ask(someSession(), "Is it?");
  const [reasoning] = only(parts, "reasoning-start");
  const [text] = only(parts, "text-start");
  expect(reasoning?.id).not.toBe(text?.id);
  expect(only(parts, "reasoning-end")[0]?.id).toBe(reasoning?.id);
  expect(only(parts, "text-end")[0]?.id).toBe(text?.id);
});

test("arguments that do not fit are told to the model, which may repair them once", async () => {
  const model = createScriptedModel(
    [calls("c_1", "search_knowledge_base", { words: "x" }), finishes("tool-calls")],
    [search("c_2", "x"), finishes("tool-calls")],
    [...says("Found [1]."), finishes()],
  );
  const { ask } = await createAgentHarness({ model });
  const { parts } = await ask(someSession(), "Find it");
  expect(only(parts, "tool-input-error")[0]).toMatchObject({ toolCallId: "c_1" });
  expect(model.calls[1]?.prompt.at(-1)).toMatchObject({
    content: [{ output: { type: "error-text", value: expect.stringContaining("query") } }],
  });
  expect(parts.at(-1)).toEqual({ type: "finish", finishReason: "stop" });
});

test("a model that cannot repair its arguments ends at the limit", async () => {
  const model = createScriptedModel(
    [calls("c_1", "search_knowledge_base", "{not json"), finishes("tool-calls")],
    [calls("c_2", "search_knowledge_base", "{still not"), finishes("tool-calls")],
  );
  const { ask } = await createAgentHarness({ model });
  const { parts } = await ask(someSession(), "Find it");
  expect(model.calls).toHaveLength(2);
  expect(only(parts, "data-error")[0]?.data).toMatchObject({ code: "run_limit", retryable: false });
  expect(typesOf(parts).slice(-3)).toEqual(["data-error", "error", "finish"]);
});

test("a call of a tool that nobody has is an error for the model, not for the person", async () => {
  const model = createScriptedModel(
    [calls("c_1", "delete_account", {}), finishes("tool-calls")],
    [...says("I cannot."), finishes()],
  );
  const { ask } = await createAgentHarness({ model });
  const { parts } = await ask(someSession(), "Delete me");
  expect(only(parts, "tool-input-error")[0]).toMatchObject({ dynamic: true });
  expect(parts.at(-1)).toEqual({ type: "finish", finishReason: "stop" });
});

test("a run makes no more calls of the model than its cap", async () => {
  let n = 0;
  const model = createScriptedModel(() => [search(`c_${n}`, `q${n++}`), finishes("tool-calls")]);
  const { ask } = await createAgentHarness({ model });
  const { parts } = await ask(someSession(), "Loop");
  expect(model.calls).toHaveLength(8);
  expect(only(parts, "data-error")[0]?.data.code).toBe("run_limit");
});

test("an operator's cap on the calls of the model is kept", async () => {
  let n = 0;
  const model = createScriptedModel(() => [search(`c_${n}`, `q${n++}`), finishes("tool-calls")]);
  const { ask } = await createAgentHarness({ model, limits: { maxSteps: 2 } });
  expect(only((await ask(someSession(), "Loop")).parts, "data-error")[0]?.data).toMatchObject({
    code: "run_limit",
    retryable: false,
  });
  expect(model.calls).toHaveLength(2);
});

test("a run that has used its tokens makes no further call", async () => {
  const model = createScriptedModel(
    [search("c_1", "a"), finishes("tool-calls", { input: 9_000, output: 900 })],
    [...says("Never said."), finishes()],
  );
  const { ask } = await createAgentHarness({ model, limits: { maxTokens: 10_000 } });
  const { parts, text } = await ask(someSession(), "Go on");
  expect(model.calls).toHaveLength(1);
  expect(text).toBe("");
  expect(only(parts, "data-error")[0]?.data.code).toBe("run_limit");
});

test("a model that does not stop talking is cut at the tokens of its run, and what it said stays", async () => {
  const words = Array.from({ length: 500 }, () => "forty letters of a text that has no end. ");
  const model = createScriptedModel([...says(...words), "hangs"]);
  const { ask, store } = await createAgentHarness({ model, limits: { maxTokens: 2_000 } });
  const { parts, text, threadId } = await ask(someSession(), "Go on");
  expect(only(parts, "data-error")[0]?.data.code).toBe("run_limit");
  expect(model.cancelled).toBe(1);
  expect(text.length).toBeGreaterThan(2_000);
  expect(text.length).toBeLessThan(8_000);
  const { messages } = await store.read(threadId, 9);
  expect(messages[1]?.parts).toContain(text);
  expect(messages[1]?.error).toBe("run_limit");
});

test("the same calls three times in a row end the run", async () => {
  const model = createScriptedModel(() => [search("c", "same"), finishes("tool-calls")]);
  const { ask } = await createAgentHarness({ model });
  const { parts } = await ask(someSession(), "Loop");
  expect(model.calls).toHaveLength(3);
  expect(only(parts, "data-error")[0]?.data.code).toBe("run_limit");
  const ids = only(parts, "tool-input-available").map(({ toolCallId }) => toolCallId);
  expect(new Set(ids).size).toBe(3);
});

test("a run that takes too long ends at the limit, even if its model listens to nothing", async () => {
  const model = createScriptedModel([...says("Let me"), "hangs"]);
  const { ask } = await createAgentHarness({ model, maxRunMs: 20 });
  const { parts } = await ask(someSession(), "Now?");
  expect(only(parts, "data-error")[0]?.data.code).toBe("run_limit");
  expect(model.cancelled).toBe(1);
});

test("a failure that may pass is tried once more, after the wait that the provider asks for", async () => {
  const busy = Object.assign(new Error("busy"), {
    statusCode: 429,
    responseHeaders: { "retry-after": "3" },
  });
  const model = createScriptedModel({ rejects: busy }, [...says("Yes."), finishes()]);
  const waits: number[] = [];
  const { ask } = await createAgentHarness({ model, onSleep: (ms) => waits.push(ms) });
  const { text } = await ask(someSession(), "Is it?");
  expect(text).toBe("Yes.");
  expect(waits).toEqual([3_000]);
});

test("a wait that is too long is handed to the client", async () => {
  const busy = Object.assign(new Error("busy"), {
    statusCode: 429,
    responseHeaders: { "retry-after": "60" },
  });
  const model = createScriptedModel({ rejects: busy });
  const { ask } = await createAgentHarness({ model });
  const { parts } = await ask(someSession(), "Is it?");
  expect(model.calls).toHaveLength(1);
  expect(only(parts, "data-error")[0]?.data).toEqual({
    code: "model_unavailable",
    retryable: true,
    retryAfterMs: 60_000,
    requestId: "req_test",
  });
});

test("nothing is tried again once something was said", async () => {
  const model = createScriptedModel([...says("Half an"), { throws: new Error("reset") }]);
  const { ask } = await createAgentHarness({ model });
  const { parts, text } = await ask(someSession(), "Is it?");
  expect(model.calls).toHaveLength(1);
  expect(text).toBe("Half an");
  expect(only(parts, "data-error")[0]?.data.code).toBe("model_unavailable");
});

test("a refusal of the provider is not tried again", async () => {
  const model = createScriptedModel({
    rejects: Object.assign(new Error("no"), { statusCode: 401 }),
  });
  const { ask } = await createAgentHarness({ model });
  const { parts } = await ask(someSession(), "Is it?");
  expect(model.calls).toHaveLength(1);
  expect(only(parts, "data-error")[0]?.data).toMatchObject({
    code: "model_rejected",
    retryable: false,
  });
});

test("a stream that its provider cut is no finished answer, and its calls are not made", async () => {
  const model = createScriptedModel([...says("Half"), search("c_1", "x"), "cut"]);
  const { ask } = await createAgentHarness({ model });
  const { parts } = await ask(someSession(), "Is it?");
  expect(only(parts, "tool-input-available")).toEqual([]);
  expect(parts.at(-1)).toEqual({ type: "finish", finishReason: "error" });
});

test("a source that two searches find is shown once in a message", async () => {
  const model = createScriptedModel(
    [search("c_1", "a"), finishes("tool-calls")],
    [search("c_2", "b"), finishes("tool-calls")],
    [...says("Yes [1]."), finishes()],
  );
  const { ask } = await createAgentHarness({ model });
  const { parts } = await ask(someSession(), "Is it?");
  expect(only(parts, "tool-output-available")).toHaveLength(2);
  expect(only(parts, "source-url")).toHaveLength(1);
});

test("a call that was under way when the run was stopped is kept as stopped", async () => {
  const model = createScriptedModel([search("c_1", "x"), finishes("tool-calls")]);
  let started: () => void = () => undefined;
  const isSearching = new Promise<void>((resolve) => {
    started = resolve;
  });
  const { chat, request, store } = await createAgentHarness({
    model,
    passages: () => {
      started();
      return new Promise(() => undefined);
    },
  });
  const session = someSession();
  const response = await chat(session, { messages: [someQuestion("Is it?")] });
  await isSearching;
  const threadId = response.headers.get("x-thread-id") ?? "";
  await request(session, `/chat/${threadId}/stop`, { method: "POST" });
  expect((await readAnswer(response)).parts.at(-1)).toEqual({ type: "abort" });
  const { calls: kept } = await store.read(threadId, 10);
  expect(kept.map(({ state }) => state)).toEqual(["stopped"]);
});

test("a tool that fails is told to the model, in no words of its own", async () => {
  const model = createScriptedModel(
    [search("c_1", "x"), finishes("tool-calls")],
    [...says("The search does not work."), finishes()],
  );
  const { ask, log } = await createAgentHarness({
    model,
    passages: () => Promise.reject(new Error("disk sk-secret-1234567890 broken")),
  });
  const { parts, events } = await ask(someSession(), "Is it?");
  expect(only(parts, "tool-output-error")[0]?.errorText).toBe("The tool failed.");
  expect(JSON.stringify(events)).not.toContain("broken");
  expect(log.join()).toContain("broken");
  expect(log.join()).not.toContain("sk-secret-1234567890");
  expect(parts.at(-1)).toEqual({ type: "finish", finishReason: "stop" });
});

/** Whatever a model may do, as scripts of up to four calls. */
const someMove: fc.Arbitrary<ScriptMove> = fc.oneof(
  fc.constantFrom<ScriptMove>(
    { type: "text-start", id: "0" },
    { type: "text-delta", id: "0", delta: "a [1]" },
    { type: "text-delta", id: "1", delta: "" },
    { type: "text-end", id: "0" },
    { type: "reasoning-delta", id: "0", delta: "hm" },
    { type: "reasoning-end", id: "9" },
    { type: "tool-input-start", id: "c", toolName: "search_knowledge_base" },
    { type: "tool-input-delta", id: "c", delta: "{" },
    { type: "error", error: new Error("said so") },
    { type: "raw", rawValue: 1 },
    search("c", "x"),
    calls("d", "open_billing", {}),
    calls("e", "open_billing", "{"),
    calls("f", "nobody", {}),
    finishes("stop"),
    finishes("tool-calls"),
    finishes("error"),
    finishes("other"),
    { throws: new Error("threw") },
    "cut",
  ),
);
const someScript: fc.Arbitrary<Script> = fc.oneof(
  { weight: 5, arbitrary: fc.array(someMove, { maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ rejects: new Error("down") }, { rejects: { statusCode: 400 } }),
  },
);

test("whatever the model does, a run ends in exactly one terminal frame, the last, and closes what it opened", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someScript, { minLength: 1, maxLength: 4 }), async (scripts) => {
      const harness = await createAgentHarness({ model: createScriptedModel(...scripts) });
      const response = await harness.chat(someSession(), {
        messages: [someQuestion("Go")],
        tools: [pageTool],
      });
      const { parts, events } = await readAnswer(response);
      expect(parts.filter(isTerminal)).toHaveLength(1);
      expect(parts.findIndex(isTerminal)).toBe(parts.length - 1);
      expect(parts[0]?.type).toBe("start");
      expect(events.at(-1)?.data).toBe("[DONE]");
      for (const kind of ["text", "reasoning"] as const) {
        const started = only(parts, `${kind}-start`).map(({ id }) => id);
        expect(new Set(started).size).toBe(started.length);
        expect(
          only(parts, `${kind}-end`)
            .map(({ id }) => id)
            .sort(),
        ).toEqual(started.sort());
      }
      for (const { delta } of only(parts, "text-delta")) expect(delta).not.toBe("");
      expect(harness.runs.active(response.headers.get("x-thread-id") ?? "")).toBeUndefined();
      await harness.database.destroy();
    }),
    { numRuns: 150 },
  );
});
