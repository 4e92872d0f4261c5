import { encodeEvent, type StreamPart } from "@valet/protocol";
import { type RunEnding, RunFailure, type RunStopped } from "./run-ending.ts";

/**
 * One run of the agent, apart from any connection: the log of its frames, which readers follow at
 * their own pace, and the signal that ends it.
 */
export interface Run {
  readonly id: string;
  /** The thread's stored id. */
  readonly threadId: string;
  /** The session that began it. */
  readonly sid: string;
  /** What was asked, so that the same request again finds the same run. */
  readonly key: string | undefined;
  /** Aborts with the reason of the ending: a {@link RunFailure} or {@link RunStopped}. */
  readonly signal: AbortSignal;
  /** Frames so far. */
  readonly length: number;
  /** How it ended; `undefined` while it goes on. */
  readonly ending: RunEnding | undefined;
  /** Whether what came of it is being stored, or is: it says nothing new but its end. */
  readonly isBeingKept: boolean;
  /** The message that it writes; `undefined` before it has begun to. */
  readonly writing: { readonly messageId: string; readonly earlierParts: number } | undefined;
  /** Resolves when the last frame is in the log. */
  readonly whenEnded: Promise<void>;
  /** A frame as bytes for the wire. */
  frame(seq: number): Uint8Array;
  /** Adds a frame. A log that grows beyond its bound aborts the run. */
  push(part: StreamPart): void;
  /** Adds the last frames; whatever is pushed afterwards is dropped. Only the first call counts. */
  end(ending: RunEnding, frames: readonly StreamPart[]): void;
  /** Called with the message that the run writes, and how many parts it had before. */
  startWriting(messageId: string, earlierParts: number): void;
  /** Called before what came of the run is stored. */
  startKeeping(): void;
  /** Asks the run to end. Only the first reason counts. */
  abort(reason: RunFailure | RunStopped): void;
  /** Calls `listener` after each change of the log. @returns Call it to stop listening. */
  onChange(listener: () => void): () => void;
}

/** What {@link createRun} needs. */
export interface RunOptions {
  readonly id: string;
  readonly threadId: string;
  readonly sid: string;
  readonly key: string | undefined;
  /** The longest a run may take, in milliseconds. */
  readonly maxRunMs: number;
  /** The most its log may hold, in bytes. */
  readonly maxLogBytes: number;
  /** Called once, when the run has ended. */
  readonly onEnd: () => void;
}

/** Creates a run that is going on. */
export function createRun({
  id,
  threadId,
  sid,
  key,
  maxRunMs,
  maxLogBytes,
  onEnd,
}: RunOptions): Run {
  const controller = new AbortController();
  const frames: Uint8Array[] = [];
  const listeners = new Set<() => void>();
  let logBytes = 0;
  let ending: RunEnding | undefined;
  let isBeingKept = false;
  let writing: Run["writing"];
  let resolveEnded: () => void = () => undefined;
  const whenEnded = new Promise<void>((resolve) => {
    resolveEnded = resolve;
  });
  const timer = setTimeout(() => controller.abort(new RunFailure("run_limit")), maxRunMs);

  function append(part: StreamPart): void {
    const frame = encodeFrame(id, frames.length, part);
    frames.push(frame);
    logBytes += frame.byteLength;
  }
  function announce(): void {
    for (const listener of [...listeners]) listener();
  }

  return {
    id,
    threadId,
    sid,
    key,
    signal: controller.signal,
    get length() {
      return frames.length;
    },
    get ending() {
      return ending;
    },
    get isBeingKept() {
      return isBeingKept;
    },
    get writing() {
      return writing;
    },
    whenEnded,
    frame(seq) {
      const frame = frames[seq];
      if (!frame) throw new RangeError(`There is no frame ${seq}.`);
      return frame;
    },
    push(part) {
      if (ending) return;
      append(part);
      announce();
      if (logBytes > maxLogBytes) controller.abort(new RunFailure("run_limit"));
    },
    end(how, last) {
      if (ending) return;
      for (const part of last) append(part);
      ending = how;
      clearTimeout(timer);
      // Before readers hear of it, so that whoever reads the end may begin the next run.
      onEnd();
      announce();
      resolveEnded();
    },
    startWriting(messageId, earlierParts) {
      writing = { messageId, earlierParts };
    },
    startKeeping() {
      isBeingKept = true;
    },
    abort: (reason) => controller.abort(reason),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function encodeFrame(runId: string, seq: number, part: StreamPart): Uint8Array {
  // Small ones share their memory, where an encoder would give each a block of its own.
  return Buffer.from(encodeEvent({ id: `${runId}:${seq}`, data: JSON.stringify(part) }));
}

/** A run that is over, and whose log is gone: of its frames only the last are known. */
export function recallRun({
  id,
  threadId,
  sid,
  ending,
  fromSeq,
  frames,
}: Pick<Run, "id" | "threadId" | "sid"> & {
  readonly ending: RunEnding;
  /** The number of the first frame that is known. */
  readonly fromSeq: number;
  readonly frames: readonly StreamPart[];
}): Run {
  const whenEnded = Promise.resolve();
  return {
    id,
    threadId,
    sid,
    key: undefined,
    signal: AbortSignal.abort(),
    length: fromSeq + frames.length,
    ending,
    isBeingKept: true,
    writing: undefined,
    whenEnded,
    frame(seq) {
      const part = frames[seq - fromSeq];
      if (!part) throw new RangeError(`There is no frame ${seq}.`);
      return encodeFrame(id, seq, part);
    },
    push: () => undefined,
    end: () => undefined,
    startWriting: () => undefined,
    startKeeping: () => undefined,
    abort: () => undefined,
    onChange: () => () => undefined,
  };
}
