import type {
  FeedbackRow,
  MessageRow,
  ThreadRow,
  ThreadSourceRow,
  ToolCallRow,
} from "../database/schema.ts";
import type { NewRun } from "./run-store.ts";

/** Where conversations are kept. Every write is all or nothing, and durable when it resolves. */
export interface ThreadStore {
  /** A thread of a project by its stored id, a deleted one too. */
  find(projectId: string, id: string): Promise<ThreadRow | undefined>;
  /** Threads of an owner that any session of theirs may use, last changed first. */
  list(options: ThreadListOptions): Promise<ListedThread[]>;
  countMessages(threadId: string): Promise<number>;
  /** Marks a thread deleted; its rows stay until they are erased for good. */
  remove(projectId: string, id: string, atMs: number): Promise<void>;
  /** The last messages in order, their calls, and every source of the thread. */
  read(threadId: string, lastMessages: number): Promise<ThreadContents>;
  /** What names each call that was ever made in a thread. */
  callIds(threadId: string): Promise<Pick<ToolCallRow, "id" | "approval_id">[]>;
  findMessage(threadId: string, id: string): Promise<MessageRow | undefined>;
  /**
   * Adds a question, and its thread when `isNew`. Calls that are still open are over: they stop.
   * With `replaces`, that message goes first, with everything behind it, except what was decided
   * and begun; a conversation that is empty then takes the thread's title.
   */
  addQuestion(options: {
    readonly thread: ThreadRow;
    readonly isNew: boolean;
    readonly message: NewMessage;
    readonly replaces?: string;
    /** The run that answers it, which is recorded with it. */
    readonly run?: NewRun;
  }): Promise<void>;
  /**
   * Takes calls from one state to the next, in order: all of them, or none when one is not in the
   * state that it is to leave. Of those who take the same step at the same time, one does.
   *
   * @returns Whether they were taken.
   */
  changeCalls(threadId: string, changes: readonly CallChange[]): Promise<boolean>;
  /** Stops every open call of a thread. @returns How many there were. */
  stopCalls(threadId: string, atMs: number): Promise<number>;
  /**
   * Writes an answer, over its earlier state if it has one, in place of `replaces` if given. What
   * was decided or begun of a replaced answer stays on record, and a call that has ended stays as
   * it is.
   */
  saveAnswer(answer: AnswerToSave): Promise<void>;
  addSources(sources: readonly ThreadSourceRow[]): Promise<void>;
  /** Keeps what a person thinks of an answer, over what they thought before. */
  setFeedback(feedback: FeedbackRow): Promise<void>;
  removeFeedback(threadId: string, messageId: string): Promise<void>;
}

/** A message before the store has given it its place. */
export type NewMessage = Omit<MessageRow, "position">;

/** An answer, and what is written with it. */
export interface AnswerToSave {
  readonly message: NewMessage;
  readonly calls: readonly ToolCallRow[];
  /** The answer that goes with this one's coming. */
  readonly replaces?: string;
  readonly atMs: number;
}

/** A step of a call. */
export interface CallChange {
  readonly id: string;
  readonly from: ToolCallRow["state"];
  readonly to: Pick<ToolCallRow, "state"> &
    Partial<
      Pick<
        ToolCallRow,
        "output" | "ended_at_ms" | "edited_input" | "decided_at_ms" | "decided_by" | "started_at_ms"
      >
    >;
}

/** States of a call that has not ended. */
export const openStates = ["pending", "approval_requested", "approved", "running"] as const;

/** Whether a call has not ended. */
export function isOpen({ state }: Pick<ToolCallRow, "state">): boolean {
  return openStates.some((open) => open === state);
}

/** A thread with the number of its messages. */
export type ListedThread = ThreadRow & { readonly message_count: number };

/** What {@link ThreadStore.read} gives. */
export interface ThreadContents {
  readonly messages: readonly MessageRow[];
  readonly calls: readonly ToolCallRow[];
  readonly sources: readonly ThreadSourceRow[];
  readonly feedback: readonly FeedbackRow[];
}

/** Which threads {@link ThreadStore.list} gives. */
interface ThreadListOptions {
  readonly projectId: string;
  readonly owner: string;
  /** Only threads changed before this instant, or at it with a smaller id. */
  readonly before?: { readonly updatedAtMs: number; readonly id: string };
  readonly limit: number;
}
