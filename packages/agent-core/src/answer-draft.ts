import type { StreamPart } from "@valet/protocol";
import type { AnswerMessage, ContentBlock, MessageSource, ToolCallDisplay } from "./messages.ts";

/** An answer while it is being written, and after. Immutable. */
export interface AnswerDraft {
  readonly message: AnswerMessage;
  /** When each call began, for its duration; by call id. */
  readonly startedMs: Readonly<Record<string, number>>;
}

/** An answer of which nothing has come yet. */
export function createDraft(id: string): AnswerDraft {
  return {
    message: { id, role: "assistant", content: "", blocks: [], isStreaming: true },
    startedMs: {},
  };
}

/** The answer that a message shows, to be written on. */
export function reopen({
  isPartial: _,
  stopped: __,
  isError: ___,
  errorCode: ____,
  ...message
}: AnswerMessage): AnswerDraft {
  return { message: { ...message, isStreaming: true }, startedMs: {} };
}

/**
 * The draft with one more frame in it.
 *
 * @param nowMs For the durations of tool calls.
 * @param displayName What people read for a tool, by its name.
 */
export function addPart(
  draft: AnswerDraft,
  part: StreamPart,
  nowMs: number,
  displayName: (name: string) => string | undefined,
): AnswerDraft {
  switch (part.type) {
    case "start":
      return withMessage(draft, { id: part.messageId });
    case "text-delta":
      return part.delta === "" ? draft : withMessage(draft, appendText(draft.message, part.delta));
    case "tool-input-start":
    case "tool-input-available": {
      const label = displayName(part.toolName);
      const call: ToolCallDisplay = {
        id: part.toolCallId,
        name: part.toolName,
        status: part.type === "tool-input-start" ? "pending" : "executing",
        arguments: part.type === "tool-input-start" ? {} : toArguments(part.input),
        side: part.dynamic ? "page" : "server",
        ...(label !== undefined && { displayName: label }),
      };
      const startedMs = { ...draft.startedMs, [call.id]: draft.startedMs[call.id] ?? nowMs };
      return { ...withMessage(draft, putCall(draft.message, call)), startedMs };
    }
    case "tool-input-error":
    case "tool-output-error":
      return endCall(draft, part.toolCallId, nowMs, { status: "error", error: part.errorText });
    case "tool-output-available":
      return endCall(draft, part.toolCallId, nowMs, { status: "completed", result: part.output });
    case "tool-output-denied":
      return endCall(draft, part.toolCallId, nowMs, { status: "denied" });
    case "tool-approval-request": {
      const { approvalId, isEditable = false } = part;
      const asks = { status: "approval_requested", approvalId, isEditable } as const;
      return changeCall(draft, part.toolCallId, asks);
    }
    case "source-url":
      return withMessage(draft, addSource(draft.message, part));
    case "message-metadata":
      return withMessage(draft, markCited(draft.message, part.messageMetadata.cited ?? []));
    default:
      return draft;
  }
}

/** Arguments are an object; what a model makes of them otherwise is kept for people to see. */
export function toArguments(input: unknown): ToolCallDisplay["arguments"] {
  return Object(input) === input ? (input as ToolCallDisplay["arguments"]) : { value: input };
}

/** The draft with changes to one of its calls. An error that it had is no more. */
export function changeCall(
  draft: AnswerDraft,
  id: string,
  changes: Partial<ToolCallDisplay>,
): AnswerDraft {
  return withMessage(
    draft,
    mapCalls(draft.message, (call) => {
      if (call.id !== id) return call;
      const { error: _, ...others } = call;
      return { ...others, ...changes };
    }),
  );
}

/** The draft with one of its calls ended, and the time that it took. */
export function endCall(
  draft: AnswerDraft,
  id: string,
  nowMs: number,
  changes: Partial<ToolCallDisplay>,
): AnswerDraft {
  const startedMs = draft.startedMs[id];
  const duration = startedMs === undefined ? {} : { durationMs: Math.max(0, nowMs - startedMs) };
  return changeCall(draft, id, { ...changes, ...duration });
}

/** The calls of an answer, in order. */
export function callsOf({ message }: AnswerDraft): ToolCallDisplay[] {
  return message.blocks.flatMap((block) => (block.type === "tool_calls" ? block.toolCalls : []));
}

/** The calls that wait for the page, or for the person: those without an outcome. */
export function pendingCalls(draft: AnswerDraft): ToolCallDisplay[] {
  return callsOf(draft).filter(
    ({ status, side, approvalId }) =>
      ["pending", "approval_requested", "executing"].includes(status) &&
      (side !== "server" || approvalId !== undefined),
  );
}

/** A call of an answer, by its id. */
export function findCall({ blocks }: AnswerMessage, id: string): ToolCallDisplay | undefined {
  for (const block of blocks) {
    const call = block.type === "tool_calls" && block.toolCalls.find((one) => one.id === id);
    if (call) return call;
  }
  return undefined;
}

/** The message when nothing more will come: calls that were going on were stopped. */
export function closeMessage(
  message: AnswerMessage,
  changes: Partial<AnswerMessage> = {},
): AnswerMessage {
  const { isStreaming: _, ...rest } = message;
  const open = new Set(["pending", "approval_requested", "executing"]);
  const closed = mapCalls(message, (call) =>
    open.has(call.status) ? { ...call, status: "stopped", error: "Stopped." } : call,
  );
  return { ...rest, ...closed, ...changes };
}

function withMessage(draft: AnswerDraft, changes: Partial<AnswerMessage>): AnswerDraft {
  return { ...draft, message: { ...draft.message, ...changes } };
}

function appendText({ content, blocks }: AnswerMessage, delta: string): Partial<AnswerMessage> {
  const last = blocks.at(-1);
  if (last?.type === "text") {
    const grown: ContentBlock = { type: "text", content: last.content + delta };
    return { content: content + delta, blocks: [...blocks.slice(0, -1), grown] };
  }
  const separator = content === "" ? "" : "\n\n";
  return {
    content: content + separator + delta,
    blocks: [...blocks, { type: "text", content: delta }],
  };
}

function putCall(message: AnswerMessage, call: ToolCallDisplay): Partial<AnswerMessage> {
  const { blocks } = message;
  const isKnown = blocks.some(
    (block) => block.type === "tool_calls" && block.toolCalls.some(({ id }) => id === call.id),
  );
  if (isKnown) return mapCalls(message, (known) => (known.id === call.id ? call : known));
  const last = blocks.at(-1);
  // Calls without text between them were made together.
  const block: ContentBlock = {
    type: "tool_calls",
    toolCalls: last?.type === "tool_calls" ? [...last.toolCalls, call] : [call],
  };
  return { blocks: [...(last?.type === "tool_calls" ? blocks.slice(0, -1) : blocks), block] };
}

function addSource(
  message: AnswerMessage,
  { sourceId, url, title, providerMetadata }: Extract<StreamPart, { type: "source-url" }>,
): Partial<AnswerMessage> {
  const { number, headingPath, snippet, toolCallId } = providerMetadata.valet;
  const source: MessageSource = {
    id: sourceId,
    number,
    title,
    sourceUrl: url,
    headingPath,
    snippet,
    cited: false,
    sourceType: "documentation",
    sourceVisibility: "public",
  };
  const { sources = [] } = message;
  const isKnown = sources.some(({ id }) => id === sourceId);
  return {
    sources: isKnown ? sources : [...sources, source],
    ...mapCalls(message, (call) =>
      call.id === toolCallId ? { ...call, sources: [...(call.sources ?? []), source] } : call,
    ),
  };
}

function markCited({ sources }: AnswerMessage, cited: readonly string[]): Partial<AnswerMessage> {
  if (!sources) return {};
  return { sources: sources.map((source) => ({ ...source, cited: cited.includes(source.id) })) };
}

function mapCalls(
  { blocks }: AnswerMessage,
  change: (call: ToolCallDisplay) => ToolCallDisplay,
): Partial<AnswerMessage> {
  return {
    blocks: blocks.map((block) => {
      if (block.type !== "tool_calls") return block;
      const toolCalls = block.toolCalls.map(change);
      const isSame = toolCalls.every((call, at) => call === block.toolCalls[at]);
      return isSame ? block : { ...block, toolCalls };
    }),
  };
}
