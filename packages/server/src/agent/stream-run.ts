import { doneData, encodeEvent, heartbeat } from "@valet/protocol";
import type { WriteBody } from "../http/pushed-body.ts";
import type { CutReason, OpenStreams } from "../sessions/open-streams.ts";
import type { SessionPrincipal } from "../sessions/principal.ts";
import type { Run } from "./run.ts";
import { cutFailure, endingFrames } from "./run-ending.ts";

/** What {@link streamRun} needs. */
export interface StreamRunOptions {
  readonly run: Run;
  /** Who reads. */
  readonly session: SessionPrincipal;
  readonly streams: OpenStreams;
  readonly requestId: string;
  /** The first frame wanted. @default 0 */
  readonly fromSeq?: number;
  /** Time between two comments that keep the connection from being taken for dead. */
  readonly heartbeatMs: number;
  /** Called when nobody reads any more. */
  readonly onClose?: () => void;
}

const encoder = new TextEncoder();
const heartbeatBytes = encoder.encode(heartbeat);
const doneBytes = encoder.encode(encodeEvent({ id: "", data: doneData }));
const maxPieceBytes = 64 * 1024;

/**
 * Follows a run from a frame to its end, then `[DONE]`. Reads from the run's log when the
 * connection has room, so that a slow reader holds nothing but its place; a reader who leaves
 * leaves the run alone.
 *
 * A reader of another session than the run's own is cut by the revocation of its own session. The
 * frames that say so bear no id, so that its place in the run stays right for the next reader.
 */
export function streamRun({
  run,
  session,
  streams,
  requestId,
  fromSeq = 0,
  heartbeatMs,
  onClose,
}: StreamRunOptions): WriteBody {
  return (sink) => {
    let next = fromSeq;
    let cut: CutReason | undefined;
    let isOver = false;
    let isDue = false;

    const stopListening = run.onChange(schedule);
    const release =
      session.sid === run.sid
        ? undefined
        : streams.add(session, (reason) => {
            cut = reason;
            schedule();
          });
    const beat = setInterval(() => {
      if (sink.hasRoom()) sink.write(heartbeatBytes);
    }, heartbeatMs);
    beat.unref();
    advance();
    return { onRoom: advance, onClose: close };

    /** What comes in one turn of the event loop leaves together. */
    function schedule(): void {
      if (isDue) return;
      isDue = true;
      process.nextTick(advance);
    }

    function advance(): void {
      isDue = false;
      if (isOver) return;
      while (!cut && next < run.length && sink.hasRoom()) sink.write(takeFrames());
      const hasEnded = run.ending !== undefined && next >= run.length;
      // A sink may ask for more while it takes something, and then have had the end already.
      if (isOver || !(cut || hasEnded)) return;
      close();
      if (cut) sink.write(Buffer.concat(cutFrames(session, cut, requestId)));
      sink.write(doneBytes);
      sink.end();
    }

    function close(): void {
      if (isOver) return;
      isOver = true;
      clearInterval(beat);
      stopListening();
      release?.();
      onClose?.();
    }

    function takeFrames(): Uint8Array {
      const pieces: Uint8Array[] = [];
      for (let bytes = 0; next < run.length && bytes < maxPieceBytes; next += 1) {
        const frame = run.frame(next);
        pieces.push(frame);
        bytes += frame.byteLength;
      }
      return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    }
  };
}

function cutFrames(session: SessionPrincipal, reason: CutReason, requestId: string): Uint8Array[] {
  const failure = cutFailure(session, reason);
  return endingFrames({ kind: "failed", failure }, requestId).map((part) =>
    encoder.encode(encodeEvent({ id: "", data: JSON.stringify(part) })),
  );
}
