import { expect, test } from "vitest";
import type { MessageRow, ToolCallRow } from "../database/schema.ts";
import type { AnswerPart } from "./answer-part.ts";
import { buildPrompt } from "./prompt.ts";
import { someCall } from "./testing/some-call.ts";

const row = { thread_id: "thr_1", position: 0, cited: null, error: null, created_at_ms: 0 };
const question = (text: string): MessageRow => ({
  ...row,
  id: text,
  role: "user",
  parts: JSON.stringify([{ type: "text", text }]),
});
const answer = (...parts: AnswerPart[]): MessageRow => ({
  ...row,
  id: "a",
  role: "assistant",
  parts: JSON.stringify(parts),
});
const call = (id: string, state: ToolCallRow["state"], output: unknown): ToolCallRow =>
  someCall({
    id,
    message_id: "a",
    name: "tool",
    input: '"not an object"',
    state,
    output: output === undefined ? null : JSON.stringify(output),
  });

test("a conversation that was cut at its beginning begins with a question", () => {
  const messages = [answer({ type: "text", text: "Old." }), question("New?")];
  const prompt = buildPrompt({ system: "Be good.", messages, calls: [] });
  expect(prompt.map(({ role }) => role)).toEqual(["system", "user"]);
});

test("steps come back as they were, each with the results of its calls", () => {
  const messages = [
    question("Go"),
    answer(
      { type: "step" },
      { type: "text", text: "Looking." },
      { type: "tool-call", toolCallId: "c_1" },
      { type: "tool-call", toolCallId: "c_2" },
      { type: "step" },
      { type: "tool-call", toolCallId: "c_3" },
      { type: "step" },
      { type: "text", text: "Done." },
    ),
    question("And?"),
  ];
  const calls = [
    call("c_1", "completed", { value: "for the page", forModel: { more: 1 } }),
    call("c_2", "completed", { value: null }),
    call("c_3", "stopped", undefined),
  ];
  const prompt = buildPrompt({ system: "", messages, calls });
  expect(prompt.slice(2).map(({ role }) => role)).toEqual([
    "assistant",
    "tool",
    "assistant",
    "tool",
    "assistant",
    "user",
  ]);
  expect(prompt[3]?.content).toMatchObject([
    { toolCallId: "c_1", output: { type: "json", value: { more: 1 } } },
    { toolCallId: "c_2", output: { type: "json", value: null } },
  ]);
  expect(prompt[5]?.content).toMatchObject([{ toolCallId: "c_3", output: { type: "error-text" } }]);
  // Providers take nothing but an object for arguments.
  expect(prompt[4]?.content).toMatchObject([{ type: "tool-call", input: {} }]);
});

test("a message that goes on is told as it was said, with its calls as they are recorded, and ends with their results", () => {
  const providerOptions = { own: { signature: "s" } };
  const said: AnswerPart = {
    type: "said",
    content: [
      { type: "reasoning", text: "Hm.", providerOptions },
      { type: "text", text: "Looking." },
      { type: "tool-call", toolCallId: "c_1", toolName: "tool", input: { at: 1 }, providerOptions },
      { type: "tool-call", toolCallId: "c_gone", toolName: "tool", input: {} },
    ],
  };
  const goesOn = answer(
    { type: "step" },
    { type: "text", text: "Looking." },
    said,
    { type: "tool-call", toolCallId: "c_1" },
    { type: "step" },
    { type: "text", text: "Half an" },
  );
  const calls = [{ ...call("c_1", "completed", { value: 1 }), input: '{"at":2}' }];
  const prompt = buildPrompt({ system: "", messages: [question("Go"), goesOn], calls });
  expect(prompt.slice(2)).toMatchObject([
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "Hm.", providerOptions },
        { type: "text", text: "Looking." },
        { type: "tool-call", toolCallId: "c_1", input: { at: 2 }, providerOptions },
      ],
    },
    { role: "tool", content: [{ toolCallId: "c_1" }] },
  ]);
  expect(prompt).toHaveLength(4);
  const later = buildPrompt({
    system: "",
    messages: [question("Go"), goesOn, question("And?")],
    calls,
  });
  expect(JSON.stringify(later)).not.toContain("Hm.");
});
