import type {
  LanguageModelV3Message,
  LanguageModelV3Prompt,
  LanguageModelV3ToolResultPart,
} from "@ai-sdk/provider";
import type { TextPart } from "@valet/protocol";
import type { MessageRow, ToolCallRow } from "../database/schema.ts";
import { type AnswerPart, readAnswerParts, type SaidPart, withoutSaid } from "./answer-part.ts";
import { toToolResult } from "./call-result.ts";
import type { AssistantContent } from "./step-content.ts";

/** What {@link buildPrompt} needs. */
export interface PromptOptions {
  readonly system: string;
  /** The conversation in order, as it is stored: what a client says of it does not count. */
  readonly messages: readonly MessageRow[];
  readonly calls: readonly ToolCallRow[];
}

/**
 * Builds a model's prompt of a stored conversation, beginning at the first question in it and
 * ending with what there is to answer: half an answer behind that is written anew.
 */
export function buildPrompt({ system, messages, calls }: PromptOptions): LanguageModelV3Prompt {
  const callsById = new Map(calls.map((call) => [call.id, call]));
  const firstQuestion = messages.findIndex(({ role }) => role === "user");
  const conversation = firstQuestion < 0 ? [] : messages.slice(firstQuestion);
  const prompt: LanguageModelV3Prompt = [
    { role: "system", content: system },
    ...conversation.flatMap((message, at): LanguageModelV3Message[] => {
      if (message.role === "user") {
        return [{ role: "user", content: JSON.parse(message.parts) as TextPart[] }];
      }
      const parts = readAnswerParts(message.parts);
      // Only the message that goes on is told back as it was said: providers ask for no more.
      const known = at === conversation.length - 1 ? parts : withoutSaid(parts);
      return splitIntoSteps(known).flatMap((step) => toMessages(step, callsById));
    }),
  ];
  while (prompt.at(-1)?.role === "assistant") prompt.pop();
  return prompt;
}

function splitIntoSteps(parts: readonly AnswerPart[]): AnswerPart[][] {
  const steps: AnswerPart[][] = [[]];
  for (const part of parts) {
    if (part.type === "step") steps.push([]);
    else steps.at(-1)?.push(part);
  }
  return steps;
}

/** One step: what the assistant said and called, and the results of its calls. */
function toMessages(
  step: readonly AnswerPart[],
  callsById: ReadonlyMap<string, ToolCallRow>,
): LanguageModelV3Message[] {
  let content: AssistantContent = [];
  const results: LanguageModelV3ToolResultPart[] = [];
  for (const part of step) {
    if (part.type === "text" && part.text !== "") content.push(part);
    const call = part.type === "tool-call" ? callsById.get(part.toolCallId) : undefined;
    if (!call) continue;
    const name = { toolCallId: call.id, toolName: call.name };
    const input: unknown = JSON.parse(call.input);
    const isObject = typeof input === "object" && input !== null;
    content.push({ type: "tool-call", ...name, input: isObject ? input : {} });
    results.push(toToolResult(call));
  }
  const said = step.find((part) => part.type === "said");
  if (said) content = asSaid(said, content);
  return [
    ...(content.length > 0 ? [{ role: "assistant" as const, content }] : []),
    ...(results.length > 0 ? [{ role: "tool" as const, content: results }] : []),
  ];
}

/** What was said, with the calls as they are recorded. */
function asSaid({ content: said }: SaidPart, recorded: AssistantContent): AssistantContent {
  return said.flatMap((piece): AssistantContent => {
    if (piece.type !== "tool-call") return [piece];
    const call = recorded.find(
      (each) => each.type === "tool-call" && each.toolCallId === piece.toolCallId,
    );
    return call?.type === "tool-call" ? [{ ...piece, input: call.input }] : [];
  });
}
