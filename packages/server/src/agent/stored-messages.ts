import type { Source, StoredMessage, StoredToolCall, TextPart } from "@valet/protocol";
import { errorCodes, isErrorCode } from "@valet/protocol";
import type { FeedbackRow, MessageRow, ToolCallRow } from "../database/schema.ts";
import { formatInstant } from "../sessions/sessions.ts";
import { readAnswerParts, readCallOutcome } from "./answer-part.ts";
import { toSource } from "./source-numbers.ts";
import type { ThreadContents } from "./thread-store.ts";

/** A stored conversation as the wire tells it. */
export function toStoredMessages({
  messages,
  calls,
  sources,
  feedback,
}: ThreadContents): StoredMessage[] {
  const feedbackById = new Map(feedback.map((row) => [row.message_id, row]));
  const callsById = new Map(calls.map((call) => [call.id, call]));
  const sourcesByNumber = new Map(sources.map((row) => [row.number, toSource(row)]));
  return messages.map((message) => {
    const common = { id: message.id, created_at: formatInstant(message.created_at_ms) };
    if (message.role === "user") {
      return { ...common, role: "user", parts: JSON.parse(message.parts) as TextPart[] };
    }
    const cited = message.cited === null ? [] : (JSON.parse(message.cited) as number[]);
    const found = sourcesOf(
      calls.filter((call) => call.message_id === message.id),
      cited,
      sourcesByNumber,
    );
    return {
      ...common,
      role: "assistant",
      parts: readAnswerParts(message.parts).flatMap((part): (TextPart | StoredToolCall)[] => {
        if (part.type === "text") return [part];
        const call = part.type === "tool-call" ? callsById.get(part.toolCallId) : undefined;
        return call ? [toStoredCall(call)] : [];
      }),
      ...(found.length > 0 ? { sources: found } : {}),
      ...(cited.length > 0 ? { cited: cited.map((number) => `s${number}`) } : {}),
      ...errorOf(message),
      ...feedbackOf(feedbackById.get(message.id)),
    };
  });
}

function feedbackOf(row: FeedbackRow | undefined): Pick<StoredMessage, "feedback"> {
  if (!row) return {};
  const { rating, comment } = row;
  return { feedback: { rating, ...(comment !== null && { comment }) } };
}

/** What a message's searches found and what its text cites, by number. */
function sourcesOf(
  calls: readonly ToolCallRow[],
  cited: readonly number[],
  byNumber: ReadonlyMap<number, Source>,
): Source[] {
  const numbers = new Set(cited);
  for (const call of calls) {
    for (const number of readCallOutcome(call.output).sources ?? []) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b).flatMap((number) => byNumber.get(number) ?? []);
}

function toStoredCall(call: ToolCallRow): StoredToolCall {
  const { value, errorText, reason } = readCallOutcome(call.output);
  const why = errorText ?? reason;
  return {
    type: "tool-call",
    toolCallId: call.id,
    toolName: call.name,
    input: JSON.parse(call.edited_input ?? call.input) as unknown,
    ...(call.edited_input === null ? {} : { originalInput: JSON.parse(call.input) as unknown }),
    state: call.state,
    side: call.side,
    ...(call.approval_id === null ? {} : { needsApproval: true, approvalId: call.approval_id }),
    ...(call.is_editable === 1 ? { isEditable: true } : {}),
    ...(call.decided_at_ms === null ? {} : { decidedAt: formatInstant(call.decided_at_ms) }),
    ...(call.state === "completed" ? { output: value ?? null } : {}),
    ...(why === undefined ? {} : { errorText: why }),
    ...(call.ended_at_ms === null ? {} : { durationMs: call.ended_at_ms - call.created_at_ms }),
  };
}

function errorOf({ error }: MessageRow): Pick<StoredMessage, "error"> {
  if (error === null) return {};
  const code = isErrorCode(error) ? error : "internal_error";
  return { error: { code, message: errorCodes[code].title } };
}
