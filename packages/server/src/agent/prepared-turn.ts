import type { MessageRow, ThreadRow, ToolCallRow } from "../database/schema.ts";
import type { AnswerPart } from "./answer-part.ts";
import type { ThreadContents } from "./thread-store.ts";

/** A turn that is recorded and can be answered. */
export interface PreparedTurn {
  readonly thread: ThreadRow;
  /** The conversation that the model is told. */
  readonly contents: ThreadContents;
  /** The assistant's message that goes on; without one, a new one begins. */
  readonly goesOn?: { readonly message: MessageRow; readonly parts: readonly AnswerPart[] };
  /** The answer that the new one takes the place of. */
  readonly replaces?: string;
  /** The ids of the calls that this request has decided, in the message that goes on. */
  readonly decided?: readonly string[];
  /** Whether the run was recorded with the question. @default false */
  readonly isRecorded?: boolean;
}

/** How much of a conversation a model is told, in messages. */
export const promptMessages = 20;

/** The calls of one message. */
export function callsOf(
  { calls }: Pick<ThreadContents, "calls">,
  messageId: string,
): ToolCallRow[] {
  return calls.filter((call) => call.message_id === messageId);
}
