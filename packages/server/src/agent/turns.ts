import type { ToolOutput } from "@valet/protocol";
import type { MessageRow, ThreadRow, ToolCallRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { type AnswerPart, type CallOutcome, readAnswerParts } from "./answer-part.ts";
import type { CallEnd, ThreadContents, ThreadStore } from "./thread-store.ts";
import type { OpenedThread } from "./threads.ts";

/** What a request asks of a thread. */
export type Turn =
  | {
      readonly kind: "question";
      readonly messageId: string;
      readonly text: string;
      /** The question that this one takes the place of, with everything behind it. */
      readonly replaces?: string;
    }
  | {
      readonly kind: "outputs";
      readonly outputs: readonly ToolOutput[];
      /** Read out of a foreign client's history, which repeats what has been answered long ago. */
      readonly fromHistory: boolean;
    }
  | {
      readonly kind: "regenerate";
      /** The answer that is meant, if the client says so. It must be the last. */
      readonly messageId?: string;
    };

/** A turn that is recorded and can be answered. */
export interface PreparedTurn {
  readonly thread: ThreadRow;
  /** The conversation that the model is told. */
  readonly contents: ThreadContents;
  /** The assistant's message that goes on; without one, a new one begins. */
  readonly goesOn?: { readonly message: MessageRow; readonly parts: readonly AnswerPart[] };
  /** The answer that the new one takes the place of. */
  readonly replaces?: string;
  /** Whether calls still wait for the page, so that the model cannot go on. */
  readonly isWaiting: boolean;
}

/** What {@link prepareTurn} needs. */
export interface PrepareTurnOptions {
  readonly store: ThreadStore;
  readonly place: OpenedThread;
  readonly turn: Turn;
  readonly now: () => number;
}

/** How much of a conversation a model is told, in messages. */
const promptMessages = 20;
const titleLength = 80;

/**
 * Records what a request brings: the question, or the outputs of pending calls, each once.
 *
 * A question whose id has had its answer is a `conflict`; one whose answer failed, never came or
 * waits for the page may be sent again, and is answered anew. One that replaces another takes the
 * conversation back to where that one stood.
 *
 * @throws {@link ProblemError} `conflict`, or `invalid_request` for outputs of calls that this
 *   thread has not made, and for a question to replace that it does not have.
 */
export async function prepareTurn({
  store,
  place,
  turn,
  now,
}: PrepareTurnOptions): Promise<PreparedTurn> {
  switch (turn.kind) {
    case "question":
      return prepareQuestion(store, place, turn, now());
    case "outputs":
      return prepareOutputs(store, place, turn, now());
    case "regenerate":
      return prepareAgain(place.thread, await readContents(store, place), turn.messageId);
  }
}

async function prepareQuestion(
  store: ThreadStore,
  { thread, isNew }: OpenedThread,
  { messageId, text, replaces }: Extract<Turn, { kind: "question" }>,
  atMs: number,
): Promise<PreparedTurn> {
  const known = isNew ? undefined : await store.findMessage(thread.id, messageId);
  if (known && replaces !== messageId) {
    const contents = await store.read(thread.id, promptMessages);
    const answer = contents.messages.at(-1);
    const question = contents.messages.filter(({ role }) => role === "user").at(-1);
    const isAnswered =
      answer?.role === "assistant" &&
      answer.error === null &&
      callsOf(contents, answer.id).every(({ state }) => state !== "pending");
    if (question?.id !== messageId || isAnswered) {
      throw new ProblemError("conflict", {
        field: "messages",
        detail: "A message with this id was answered before. Give a new message a new id.",
      });
    }
    return prepareAgain(thread, contents);
  }
  // The AI SDK's clients give an edited question the id that it had; new to us, it is a new one.
  const isEdit = replaces !== undefined && (known !== undefined || replaces !== messageId);
  const replaced = isEdit && !isNew ? await store.findMessage(thread.id, replaces) : undefined;
  if (isEdit && replaced?.role !== "user") {
    throw new ProblemError("invalid_request", {
      field: "messageId",
      detail: "messageId: Use the id of a question of this thread.",
    });
  }
  const isFirst = thread.title === "" || replaced?.position === 0;
  const titled = isFirst ? { ...thread, title: titleOf(text) } : thread;
  await store.addQuestion({
    thread: titled,
    isNew,
    ...(replaced && { replaces: replaced.id }),
    message: {
      id: messageId,
      thread_id: thread.id,
      role: "user",
      parts: JSON.stringify([{ type: "text", text }]),
      cited: null,
      error: null,
      created_at_ms: atMs,
    },
  });
  const contents = await store.read(thread.id, promptMessages);
  return { thread: titled, contents, isWaiting: false };
}

async function prepareOutputs(
  store: ThreadStore,
  place: OpenedThread,
  { outputs, fromHistory }: Extract<Turn, { kind: "outputs" }>,
  atMs: number,
): Promise<PreparedTurn> {
  const { thread } = place;
  const known = new Set(place.isNew ? [] : await store.callIds(thread.id));
  const unknownAt = outputs.findIndex(({ toolCallId }) => !known.has(toolCallId));
  if (unknownAt >= 0 && !fromHistory) {
    const field = `toolOutputs[${unknownAt}].toolCallId`;
    throw new ProblemError("invalid_request", {
      field,
      detail: `${field}: The agent has not made this call in this thread.`,
    });
  }
  const ends = outputs
    .filter(({ toolCallId }) => known.has(toolCallId))
    .map((output) => toCallEnd(output, atMs));
  const ended = await store.endCalls(thread.id, ends);
  const contents = place.isNew ? undefined : await store.read(thread.id, promptMessages);
  const message = contents && messageToGoOn(contents, outputs, ended);
  if (!contents || !message) {
    throw new ProblemError("conflict", {
      field: "toolOutputs",
      detail: "None of these calls waits for an output.",
    });
  }
  return {
    thread,
    contents,
    goesOn: { message, parts: readAnswerParts(message.parts) },
    isWaiting: callsOf(contents, message.id).some(({ state }) => state === "pending"),
  };
}

/**
 * The message whose calls have now ended; or, when they had ended before, the one that failed
 * after it was told so, or never went on, and may be tried again.
 */
function messageToGoOn(
  { messages, calls }: ThreadContents,
  outputs: readonly ToolOutput[],
  ended: readonly string[],
): MessageRow | undefined {
  const ids = ended.length > 0 ? ended : outputs.map(({ toolCallId }) => toolCallId);
  const call = calls.find(({ id }) => ids.includes(id));
  const message = messages.find(({ id }) => id === call?.message_id);
  if (ended.length > 0) return message;
  if (!message || message !== messages.at(-1)) return undefined;
  // A server that ended between the outputs and the run leaves the calls as the last word.
  const wentOn = readAnswerParts(message.parts).at(-1)?.type !== "tool-call";
  return message.error !== null || !wentOn ? message : undefined;
}

/** Answers the last question again; an answer that stands behind it gives way to the new one. */
function prepareAgain(
  thread: ThreadRow,
  contents: ThreadContents,
  answerId?: string,
): PreparedTurn {
  const last = contents.messages.at(-1);
  if (answerId !== last?.id && contents.messages.some(({ id }) => id === answerId)) {
    throw new ProblemError("conflict", {
      field: "messageId",
      detail: "messageId: Only the last answer can be written anew; this is an earlier message.",
    });
  }
  if (!last) {
    throw new ProblemError("conflict", { detail: "There is no question to answer again." });
  }
  if (last.role === "user") return { thread, contents, isWaiting: false };
  return {
    thread,
    contents: { ...contents, messages: contents.messages.slice(0, -1) },
    replaces: last.id,
    isWaiting: false,
  };
}

/** The calls of one message. */
export function callsOf({ calls }: ThreadContents, messageId: string): ToolCallRow[] {
  return calls.filter((call) => call.message_id === messageId);
}

async function readContents(store: ThreadStore, place: OpenedThread): Promise<ThreadContents> {
  if (place.isNew) return { messages: [], calls: [], sources: [], feedback: [] };
  return store.read(place.thread.id, promptMessages);
}

function toCallEnd(
  { toolCallId, output, errorText, denied, reason }: ToolOutput,
  atMs: number,
): CallEnd {
  const end = (state: CallEnd["state"], outcome: CallOutcome): CallEnd => ({
    id: toolCallId,
    state,
    output: JSON.stringify(outcome),
    ended_at_ms: atMs,
  });
  if (denied) return end("denied", reason === undefined ? {} : { reason });
  if (errorText !== undefined) return end("error", { errorText });
  return end("completed", { value: output ?? null });
}

function titleOf(text: string): string {
  const characters = [...text.replaceAll("\0", "").trim().replace(/\s+/g, " ")];
  if (characters.length <= titleLength) return characters.join("");
  return `${characters.slice(0, titleLength - 1).join("")}…`;
}
