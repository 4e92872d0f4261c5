import type { ThreadRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { callsOf, type PreparedTurn, promptMessages } from "./prepared-turn.ts";
import { type CallAuthority, prepareReplies, type Replies } from "./replies.ts";
import type { NewRun } from "./run-store.ts";
import { isOpen, type ThreadContents, type ThreadStore } from "./thread-store.ts";
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
  | Replies
  | {
      readonly kind: "regenerate";
      /** The answer that is meant, if the client says so. It must be the last. */
      readonly messageId?: string;
    };

/** What {@link prepareTurn} needs. */
export interface PrepareTurnOptions extends CallAuthority {
  readonly store: ThreadStore;
  readonly place: OpenedThread;
  readonly turn: Turn;
  /** The run, if it writes a new answer: it is recorded in one write with a question that is new. */
  readonly newRun?: (thread: ThreadRow) => NewRun;
  readonly now: () => number;
}

const titleLength = 80;

/**
 * Records what a request brings: the question, or decisions and outputs of open calls, each once.
 *
 * A question whose id has had its answer is a `conflict`; one whose answer failed, never came or
 * waits for the page may be sent again, and is answered anew. One that replaces another takes the
 * conversation back to where that one stood.
 *
 * @throws {@link ProblemError} `conflict`, `invalid_request` for a question to replace that the
 *   thread does not have, or what {@link prepareReplies} throws.
 */
export async function prepareTurn(options: PrepareTurnOptions): Promise<PreparedTurn> {
  const { store, place, turn, newRun, now } = options;
  switch (turn.kind) {
    case "question":
      return prepareQuestion(store, place, turn, newRun, now());
    case "replies":
      return prepareReplies({ ...options, replies: turn, atMs: now() });
    case "regenerate":
      return prepareAgain(place.thread, await readContents(store, place), turn.messageId);
  }
}

async function prepareQuestion(
  store: ThreadStore,
  { thread, isNew }: OpenedThread,
  { messageId, text, replaces }: Extract<Turn, { kind: "question" }>,
  newRun: PrepareTurnOptions["newRun"],
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
      !callsOf(contents, answer.id).some(isOpen);
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
    ...(newRun && { run: newRun(titled) }),
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
  return { thread: titled, contents, isRecorded: newRun !== undefined };
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
  if (last.role === "user") return { thread, contents };
  return {
    thread,
    contents: { ...contents, messages: contents.messages.slice(0, -1) },
    replaces: last.id,
  };
}

async function readContents(store: ThreadStore, place: OpenedThread): Promise<ThreadContents> {
  if (place.isNew) return { messages: [], calls: [], sources: [], feedback: [] };
  return store.read(place.thread.id, promptMessages);
}

function titleOf(text: string): string {
  const characters = [...text.replaceAll("\0", "").trim().replace(/\s+/g, " ")];
  if (characters.length <= titleLength) return characters.join("");
  return `${characters.slice(0, titleLength - 1).join("")}…`;
}
