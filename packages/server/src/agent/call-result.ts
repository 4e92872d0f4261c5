import type { JSONValue, LanguageModelV3ToolResultPart } from "@ai-sdk/provider";
import type { ToolCallRow } from "../database/schema.ts";
import { readCallOutcome } from "./answer-part.ts";

/** What of a call its result is made of. */
export type EndedCall = Pick<ToolCallRow, "id" | "name" | "state" | "output" | "edited_input">;

/** What the model is told of a call that has ended. */
export function toToolResult(call: EndedCall): LanguageModelV3ToolResultPart {
  return {
    type: "tool-result",
    toolCallId: call.id,
    toolName: call.name,
    output: toOutput(call),
  };
}

function toOutput(call: EndedCall): LanguageModelV3ToolResultPart["output"] {
  const { value, forModel, errorText, reason } = readCallOutcome(call.output);
  switch (call.state) {
    case "completed": {
      const told = forModel ?? value ?? null;
      if (call.edited_input !== null) {
        return { type: "json", value: withEdit(told, call.edited_input) };
      }
      return typeof told === "string"
        ? { type: "text", value: told }
        : { type: "json", value: told as JSONValue };
    }
    case "error":
      return { type: "error-text", value: errorText ?? "The tool failed." };
    case "denied": {
      // Quoted, so that it reads as what somebody said and not as what the server says.
      const because = reason ? ` What they said of it: ${JSON.stringify(reason)}` : "";
      return { type: "error-text", value: `The person refused this call.${because}` };
    }
    default:
      return {
        type: "error-text",
        value: errorText ?? "The call was stopped before it gave a result.",
      };
  }
}

/** A result, with the arguments that a person put in the place of the model's. */
function withEdit(output: unknown, editedInput: string): JSONValue {
  return {
    note: "The person changed the arguments before they approved the call.",
    input: JSON.parse(editedInput) as JSONValue,
    output: output as JSONValue,
  };
}
