import type { StreamPart } from "@valet/protocol";
import type { ToolCallRow } from "../database/schema.ts";
import { type AnswerPart, type CallOutcome, stoppedMidway } from "./answer-part.ts";
import type { AssistantContent } from "./step-content.ts";
import { isOpen } from "./thread-store.ts";

/**
 * An assistant message while it is written. It watches the frames that go out, so that what is
 * kept of an answer that was cut short is what the person saw of it.
 */
export interface Answer {
  /** Notes a frame that goes out. */
  observe(part: StreamPart): void;
  /** Notes what a step said that calls tools, for providers that want it back. */
  addSaid(content: AssistantContent): void;
  /** Notes a call that the model made. */
  addCall(call: NewCall): void;
  /** Notes how a call ended. */
  endCall(id: string, state: "completed" | "error", outcome: CallOutcome): void;
  /** Stops every call of this run that has not ended. */
  stopCalls(): void;
  /** The ends of text and reasoning that have begun and not ended. */
  openEnds(): StreamPart[];
  /** An id that no part of this message has had. */
  nextPartId(): string;
  readonly parts: readonly AnswerPart[];
  readonly calls: readonly ToolCallRow[];
  /** All the text so far. */
  readonly text: string;
}

/** A call that the model made. */
export interface NewCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
  readonly side: ToolCallRow["side"];
  readonly state: "pending" | "approval_requested" | "running";
  /** What a decision about it names, where it needs one. */
  readonly approvalId?: string;
  /** Whether the decision may bring other arguments. @default false */
  readonly isEditable?: boolean;
  /** Whether it may change something: then it stays on record. @default false */
  readonly hasEffects?: boolean;
}

/** What {@link createAnswer} needs. */
export interface AnswerOptions {
  readonly threadId: string;
  readonly messageId: string;
  /** What an earlier run wrote of this message. */
  readonly parts: readonly AnswerPart[];
  /** What tells this run's part ids from those of earlier runs of the message. */
  readonly partPrefix: string;
  readonly now: () => number;
}

/** Opens a message to write on. */
export function createAnswer({
  threadId,
  messageId,
  parts: earlier,
  partPrefix,
  now,
}: AnswerOptions): Answer {
  const parts: AnswerPart[] = [...earlier];
  const calls = new Map<string, ToolCallRow>();
  /** Where the text of an open block stands in `parts`. */
  const openTexts = new Map<string, number>();
  const openReasonings = new Set<string>();
  let partNumber = 0;

  function end(id: string, state: ToolCallRow["state"], outcome: CallOutcome | undefined): void {
    const call = calls.get(id);
    if (!call) return;
    const output = outcome === undefined ? null : JSON.stringify(outcome);
    calls.set(id, { ...call, state, output, ended_at_ms: now() });
  }

  return {
    observe(part) {
      switch (part.type) {
        case "start-step":
          parts.push({ type: "step" });
          break;
        case "text-start":
          openTexts.set(part.id, parts.push({ type: "text", text: "" }) - 1);
          break;
        case "text-delta": {
          const at = openTexts.get(part.id) ?? -1;
          const written = parts[at];
          if (written?.type === "text") {
            parts[at] = { type: "text", text: written.text + part.delta };
          }
          break;
        }
        case "text-end":
          openTexts.delete(part.id);
          break;
        case "reasoning-start":
          openReasonings.add(part.id);
          break;
        case "reasoning-end":
          openReasonings.delete(part.id);
          break;
        case "tool-input-available":
        case "tool-input-error":
          // Told again once a person has approved it, it is the call that it was.
          if (
            parts.some((each) => each.type === "tool-call" && each.toolCallId === part.toolCallId)
          ) {
            break;
          }
          parts.push({ type: "tool-call", toolCallId: part.toolCallId });
          break;
        default:
      }
    },
    addSaid(content) {
      const isPlain = content.every(
        ({ type, providerOptions }) => type !== "reasoning" && providerOptions === undefined,
      );
      // What is plain can be made again of the other parts.
      if (!isPlain) parts.push({ type: "said", content });
    },
    addCall({ id, name, input, side, state, approvalId, isEditable = false, hasEffects }) {
      calls.set(id, {
        id,
        thread_id: threadId,
        message_id: messageId,
        name,
        input: JSON.stringify(input),
        state,
        output: null,
        created_at_ms: now(),
        ended_at_ms: null,
        side,
        approval_id: approvalId ?? null,
        is_editable: isEditable ? 1 : 0,
        edited_input: null,
        decided_at_ms: null,
        decided_by: null,
        started_at_ms: state === "running" && hasEffects ? now() : null,
      });
    },
    endCall: end,
    stopCalls() {
      for (const call of calls.values()) {
        if (!isOpen(call)) continue;
        end(
          call.id,
          "stopped",
          call.state === "running" ? { errorText: stoppedMidway } : undefined,
        );
      }
    },
    openEnds: () => [
      ...[...openTexts.keys()].map((id) => ({ type: "text-end", id }) as const),
      ...[...openReasonings].map((id) => ({ type: "reasoning-end", id }) as const),
    ],
    nextPartId() {
      partNumber += 1;
      return `${partPrefix}-${partNumber}`;
    },
    parts,
    get calls() {
      return [...calls.values()];
    },
    get text() {
      return parts.map((part) => (part.type === "text" ? part.text : "")).join("\n");
    },
  };
}
