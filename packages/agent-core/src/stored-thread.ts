import type { Source, StoredMessage, StoredToolCall, ToolCallState } from "@valet/protocol";
import type {
  ContentBlock,
  ConversationMessage,
  MessageSource,
  ToolCallDisplay,
} from "./messages.ts";

/** A stored message as a page shows it. */
export function fromStored(
  message: StoredMessage,
  displayName: (name: string) => string | undefined,
): ConversationMessage {
  const texts = message.parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const content = texts.join("\n\n");
  if (message.role === "user") return { id: message.id, role: "user", content };
  const cited = new Set(message.cited ?? []);
  const sources = message.sources?.map((source) => toSource(source, cited));
  return {
    id: message.id,
    role: "assistant",
    content: message.error && content === "" ? message.error.message : content,
    blocks: toBlocks(message.parts, displayName),
    ...(sources && { sources }),
    ...(message.feedback && { feedback: message.feedback.rating }),
    ...(message.error && { isError: true, errorCode: message.error.code }),
  };
}

function toBlocks(
  parts: StoredMessage["parts"],
  displayName: (name: string) => string | undefined,
): ContentBlock[] {
  const blocks: ContentBlock[] = [];
  for (const part of parts) {
    const last = blocks.at(-1);
    if (part.type === "text") blocks.push({ type: "text", content: part.text });
    else if (last?.type === "tool_calls") {
      blocks[blocks.length - 1] = {
        type: "tool_calls",
        toolCalls: [...last.toolCalls, toCall(part, displayName)],
      };
    } else blocks.push({ type: "tool_calls", toolCalls: [toCall(part, displayName)] });
  }
  return blocks;
}

function toCall(
  call: StoredToolCall,
  displayName: (name: string) => string | undefined,
): ToolCallDisplay {
  const label = displayName(call.toolName);
  return {
    id: call.toolCallId,
    name: call.toolName,
    // Nobody is waiting for it any more: the run that asked has ended.
    status: isEnd(call.state) ? call.state : "stopped",
    arguments: call.input,
    ...(label !== undefined && { displayName: label }),
    ...(call.output !== undefined && { result: call.output }),
    ...(call.errorText !== undefined && { error: call.errorText }),
    ...(call.durationMs !== undefined && { durationMs: call.durationMs }),
  };
}

function isEnd(
  state: ToolCallState,
): state is Extract<ToolCallState, "completed" | "error" | "denied" | "stopped"> {
  return ["completed", "error", "denied", "stopped"].includes(state);
}

function toSource(source: Source, cited: ReadonlySet<string>): MessageSource {
  return {
    id: source.sourceId,
    number: source.number,
    title: source.title,
    sourceUrl: source.url,
    headingPath: source.headingPath,
    snippet: source.snippet,
    cited: cited.has(source.sourceId),
    sourceType: "documentation",
    sourceVisibility: "public",
  };
}
