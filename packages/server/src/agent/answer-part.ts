import type { AssistantContent } from "./step-content.ts";

/**
 * A piece of an assistant message as it is kept. Calls stand by id, because their outcome changes
 * later; `step` marks where a call of the model began, so that a prompt can be built again exactly.
 */
export type AnswerPart =
  | { readonly type: "step" }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool-call"; readonly toolCallId: string }
  | SaidPart;

/**
 * What a call of the model said, word for word and with what its provider says of each piece: some
 * want it back when they are told the results. Kept only while the message may go on.
 */
export interface SaidPart {
  readonly type: "said";
  readonly content: AssistantContent;
}

/** What came of a tool call, as it is kept. */
export interface CallOutcome {
  /** What the tool gave, for the page. */
  readonly value?: unknown;
  /** What the model is told instead of `value`, where that is more than the page needs. */
  readonly forModel?: unknown;
  readonly errorText?: string;
  /** Why a person refused the call. */
  readonly reason?: string;
  /** Numbers of the sources that the call found. */
  readonly sources?: readonly number[];
}

/** Reads the parts of an assistant message's row. */
export function readAnswerParts(json: string): AnswerPart[] {
  return JSON.parse(json) as AnswerPart[];
}

/** Reads the outcome of a call's row; `{}` while there is none. */
export function readCallOutcome(json: string | null): CallOutcome {
  return json === null ? {} : (JSON.parse(json) as CallOutcome);
}

/** The parts without {@link SaidPart}s. */
export function withoutSaid(parts: readonly AnswerPart[]): AnswerPart[] {
  return parts.filter(({ type }) => type !== "said");
}

/** What is said of a call that was stopped after it had begun. */
export const stoppedMidway =
  "The call was stopped while it ran. It may or may not have taken effect.";
/** What is said of a call whose server did not live to see its end. */
export const interruptedMidway =
  "The server stopped while the call ran. It may or may not have taken effect.";
