import type {
  Source,
  StoredMessage,
  StoredThread,
  StoredToolCall,
  ToolCallState,
} from "@valet/protocol";
import { AgentError } from "./agent-error.ts";
import { closeMessage, toArguments } from "./answer-draft.ts";
import { toFailure } from "./failure.ts";
import type {
  AnswerMessage,
  ContentBlock,
  ConversationMessage,
  MessageSource,
  ToolCallDisplay,
} from "./messages.ts";

type StoredError = NonNullable<StoredMessage["error"]>;

/**
 * A stored conversation as a page shows it. Calls that still wait stand in its last answer as
 * `pending`; those of earlier answers were stopped by what came after.
 */
export function fromStored(
  messages: readonly StoredMessage[],
  displayName: (name: string) => string | undefined,
): ConversationMessage[] {
  return messages.flatMap((message, at): ConversationMessage[] => {
    const shown = toMessage(message, displayName);
    if (shown.role === "user") return [shown];
    const isLast = at === messages.length - 1;
    const closed = isLast && !message.error ? shown : closeMessage(shown);
    if (!message.error) return [closed];
    const partial = { ...closed, isPartial: true };
    return [...(hasContent(closed) ? [partial] : []), toErrorMessage(message.error, message.id)];
  });
}

/** Whether something is going on in a conversation, or waited for. */
export function goesOn({ active_run_id, messages }: StoredThread): boolean {
  const last = messages.at(-1);
  const isWaiting = last?.parts.some((part) => part.type === "tool-call" && !isEnd(part.state));
  return active_run_id !== null || (isWaiting === true && last?.error === undefined);
}

const searchTool = "search_knowledge_base";
const hasContent = ({ blocks }: AnswerMessage): boolean => blocks.length > 0;

function toErrorMessage({ code, message }: StoredError, id: string): AnswerMessage {
  // Whatever it was: the server lets the question be asked again.
  const failure = toFailure(new AgentError(code, message, { retryable: true }));
  return {
    id: `e_${id}`,
    role: "assistant",
    content: failure.message,
    blocks: [],
    isError: true,
    errorCode: code,
    retryable: true,
  };
}

function toMessage(
  message: StoredMessage,
  displayName: (name: string) => string | undefined,
): ConversationMessage {
  const { id, parts } = message;
  if (message.role === "user") {
    const texts = parts.map((part) => (part.type === "text" ? part.text : ""));
    return { id, role: "user", content: texts.join("") };
  }
  const cited = new Set(message.cited ?? []);
  const sources = (message.sources ?? []).map((source) => toSource(source, cited));
  const blocks = toBlocks(parts, createSourceFinder(sources), displayName);
  const texts = blocks.flatMap((block) => (block.type === "text" ? [block.content] : []));
  const inOrder = blocks.flatMap((block) =>
    block.type === "tool_calls" ? block.toolCalls.flatMap((call) => call.sources ?? []) : [],
  );
  const others = sources.filter((source) => !inOrder.includes(source));
  return {
    id,
    role: "assistant",
    content: texts.join("\n\n"),
    blocks,
    ...(sources.length > 0 && { sources: [...inOrder, ...others] }),
    ...(message.feedback && { feedback: message.feedback.rating }),
  };
}

/** Gives each source to the first call that found it, as the frames of a run do. */
function createSourceFinder(
  sources: readonly MessageSource[],
): (output: unknown) => MessageSource[] {
  const left = new Map(sources.map((source) => [source.number, source]));
  return (output) => {
    const { results } = Object(output) as { results?: unknown };
    return (Array.isArray(results) ? results : []).flatMap((result: unknown) => {
      const { number } = Object(result) as { number?: number };
      const source = left.get(number ?? Number.NaN);
      left.delete(source?.number ?? Number.NaN);
      return source ? [source] : [];
    });
  };
}

function toBlocks(
  parts: StoredMessage["parts"],
  sourcesOf: (output: unknown) => MessageSource[],
  displayName: (name: string) => string | undefined,
): ContentBlock[] {
  const blocks: ContentBlock[] = [];
  for (const part of parts) {
    const last = blocks.at(-1);
    if (part.type === "text") {
      if (part.text === "") continue;
      const before = last?.type === "text" ? blocks.pop() : undefined;
      const content = (before?.type === "text" ? before.content : "") + part.text;
      blocks.push({ type: "text", content });
      continue;
    }
    const before = last?.type === "tool_calls" ? blocks.pop() : undefined;
    const earlier = before?.type === "tool_calls" ? before.toolCalls : [];
    const found = part.toolName === searchTool ? sourcesOf(part.output) : [];
    const call = { ...toCall(part, displayName), ...(found.length > 0 && { sources: found }) };
    blocks.push({ type: "tool_calls", toolCalls: [...earlier, call] });
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
    status: toStatus(call),
    arguments: toArguments(call.input),
    ...(call.originalInput !== undefined && {
      originalArguments: toArguments(call.originalInput),
    }),
    side: call.side,
    // An approval that was given is not asked for again where the page runs the tool: it owes the
    // output. The server begins what is its own when it is told once more.
    ...(call.approvalId !== undefined &&
      !(call.side === "page" && call.state === "approved") && {
        approvalId: call.approvalId,
        isEditable: call.isEditable === true && call.state === "approval_requested",
      }),
    ...(label !== undefined && { displayName: label }),
    ...(call.output !== undefined && { result: call.output }),
    ...(call.errorText !== undefined && { error: call.errorText }),
    ...(call.durationMs !== undefined && { durationMs: call.durationMs }),
  };
}

function toStatus({ state, side }: StoredToolCall): ToolCallDisplay["status"] {
  if (isEnd(state)) return state;
  if (state === "running") return "executing";
  if (state === "approval_requested" || (state === "approved" && side === "server")) {
    return "approval_requested";
  }
  return "pending";
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
