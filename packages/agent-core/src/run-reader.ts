import type { StreamPart } from "@valet/protocol";
import { AgentError } from "./agent-error.ts";
import type { AgentStatus } from "./agent-snapshot.ts";
import { type AnswerDraft, addPart, createDraft } from "./answer-draft.ts";
import { type FollowRunOptions, followRun } from "./run-stream.ts";
import { stopped } from "./stopped.ts";

/** What {@link readRun} needs. */
export interface ReadRunOptions extends FollowRunOptions {
  /** The answer that the run goes on with, by its id: one of which earlier runs wrote a part. */
  readonly findEarlier: (messageId: string) => AnswerDraft | undefined;
  /** What people read for a tool, by its name. */
  readonly displayName: (name: string) => string | undefined;
  /** Told the ids of run and thread. */
  readonly onStart: (ids: { readonly threadId: string; readonly runId: string }) => void;
  /** Shows an answer that has grown: now, or with others in the next frame. */
  readonly show: (
    draft: AnswerDraft,
    when: "now" | "next-frame",
    status: AgentStatus | undefined,
  ) => void;
}

/**
 * Reads one run of the server to its end.
 *
 * @throws {@link stopped} when it was stopped, {@link AgentError} when it failed, and what
 *   {@link followRun} throws.
 */
export async function readRun({
  findEarlier,
  displayName,
  onStart,
  show,
  ...source
}: ReadRunOptions): Promise<{ draft: AnswerDraft; finishReason: string }> {
  const { signal } = source;
  let draft = createDraft("");
  let failure: AgentError | undefined;
  for await (const part of followRun(source)) {
    // A frame that was under way when the person stopped or left belongs to nobody.
    signal.throwIfAborted();
    if (part.type === "start") {
      draft = findEarlier(part.messageId) ?? draft;
      onStart(part.messageMetadata);
    }
    if (part.type === "data-error") failure = toAgentError(part);
    if (part.type === "error" && failure === undefined) {
      failure = new AgentError("internal_error", part.errorText, { retryable: true });
    }
    if (part.type === "abort") throw stopped;
    if (part.type === "finish") {
      if (failure) throw failure;
      return { draft, finishReason: part.finishReason };
    }
    const before = draft;
    draft = addPart(draft, part, Date.now(), displayName);
    const status = statusAfter(part);
    if (draft === before && !status) continue;
    // The first sign of life is shown at once. What follows comes in bursts, text and calls alike.
    const isFirst = before.message.blocks?.length === 0;
    show(draft, isFirst ? "now" : "next-frame", status);
  }
  signal.throwIfAborted();
  throw new AgentError("stream_interrupted", "The answer has no end.", { retryable: true });
}

function statusAfter(part: StreamPart): AgentStatus | undefined {
  switch (part.type) {
    case "text-delta":
      return "answering";
    case "tool-input-available":
      return part.toolName === "search_knowledge_base" ? "searching" : "tool";
    case "tool-output-available":
    case "tool-output-error":
    case "reasoning-start":
      return "thinking";
    default:
      return undefined;
  }
}

function toAgentError({ data }: Extract<StreamPart, { type: "data-error" }>): AgentError {
  const { code, retryable, retryAfterMs, requestId } = data;
  return new AgentError(code, `The answer ended with ${code}.`, {
    retryable,
    requestId,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}
