import { doneData, encodeEvent, heartbeat } from "@valet/protocol";
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
}: StreamRunOptions): ReadableStream<Uint8Array> {
  let next = fromSeq;
  let cut: CutReason | undefined;
  let wake: () => void = () => undefined;
  let tidy: () => void = () => undefined;

  return new ReadableStream<Uint8Array>({
    start(controller) {
      const stopListening = run.onChange(() => wake());
      const release =
        session.sid === run.sid
          ? undefined
          : streams.add(session, (reason) => {
              cut = reason;
              wake();
            });
      const beat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(heartbeatBytes);
      }, heartbeatMs);
      beat.unref();
      tidy = () => {
        clearInterval(beat);
        stopListening();
        release?.();
        onClose?.();
      };
    },
    async pull(controller) {
      if (!cut && next >= run.length && !run.ending) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const pieces = cut ? cutFrames(session, cut, requestId) : takeFrames();
      if (pieces.length > 0) controller.enqueue(Buffer.concat(pieces));
      if (cut || (run.ending && next >= run.length)) {
        tidy();
        controller.enqueue(doneBytes);
        controller.close();
      }
    },
    cancel: () => tidy(),
  });

  function takeFrames(): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    for (let bytes = 0; next < run.length && bytes < maxPieceBytes; next += 1) {
      const frame = run.frame(next);
      pieces.push(frame);
      bytes += frame.byteLength;
    }
    return pieces;
  }
}

function cutFrames(session: SessionPrincipal, reason: CutReason, requestId: string): Uint8Array[] {
  const failure = cutFailure(session, reason);
  return endingFrames({ kind: "failed", failure }, requestId).map((part) =>
    encoder.encode(encodeEvent({ id: "", data: JSON.stringify(part) })),
  );
}
