import type { RunRow, ToolCallRow } from "../database/schema.ts";
import type { SpentTokens } from "../sessions/usage-store.ts";
import type { AnswerPart } from "./answer-part.ts";
import type { TokenUsage } from "./model-step.ts";
import type { AnswerToSave } from "./thread-store.ts";

/**
 * Where it is recorded which runs there were. A run is in it before its first frame goes out, so
 * that a server that was killed finds at its next start what it has not ended. Every write is all
 * or nothing, and durable when it resolves.
 */
export interface RunStore {
  /** Records that a run goes on. */
  begin(run: NewRun): Promise<void>;
  /** Keeps what a run has come to, over what was kept before; nothing when it has ended. */
  keepDraft(id: string, draft: RunDraft): Promise<void>;
  /** Ends a run: its answer, what its session pays for it, and its end, in all or in none. */
  end(end: EndedRun): Promise<void>;
  /**
   * Ends every run that has not ended. Call it before runs begin: then those are runs of a server
   * that is no more. The thread of each shows as much of the answer as was kept, with the error
   * `run_interrupted`, and its session pays what it owes. A call that ran may or may not have taken
   * effect: it ends as an error that says so, and is never run again.
   *
   * @returns How many there were.
   */
  endInterrupted(atMs: number): Promise<number>;
  /** A run of a thread. */
  find(threadId: string, id: string): Promise<RunRow | undefined>;
}

/** A run that begins. */
export type NewRun = Pick<
  RunRow,
  | "id"
  | "project_id"
  | "thread_id"
  | "message_id"
  | "replaces"
  | "sid"
  | "owner"
  | "until_s"
  | "started_at_ms"
>;

/** What a run has come to so far. */
export interface RunDraft {
  readonly parts: readonly AnswerPart[];
  readonly calls: readonly ToolCallRow[];
  readonly cited: readonly number[];
  readonly usage: TokenUsage;
  /** What its session owes for it, with what a call of the model that goes on may cost. */
  readonly owedTokens: number;
}

/** How a run ended. */
export interface EndedRun {
  readonly id: string;
  readonly atMs: number;
  /** `finished`, `stopped`, or the code of its failure. */
  readonly ending: string;
  readonly usage: TokenUsage;
  /** Left out when there is nothing to keep. */
  readonly answer?: AnswerToSave | undefined;
  /** What a session with a bound pays for it. */
  readonly spent?: SpentTokens | undefined;
}
