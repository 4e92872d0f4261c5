import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context } from "hono";
import type { AppEnv } from "./app-env.ts";

/** Where the bytes go of a body that is written over as long as it takes. */
export interface BodySink {
  /** Whether what is written now leaves soon. Where it would pile up, wait for `onRoom`. */
  hasRoom(): boolean;
  write(bytes: Uint8Array): void;
  end(): void;
}

/** What the one who writes a body is told. */
export interface BodyWriter {
  /** There is room again. */
  onRoom(): void;
  /** Nobody reads any more, or all has been written. */
  onClose(): void;
}

/** Begins to write a body. */
export type WriteBody = (sink: BodySink) => BodyWriter;

/**
 * Answers with a body that is written bit by bit.
 *
 * On a connection it is written to it directly: a web stream in between, and the request that the
 * adapter keeps for it, would take more memory than the connection itself, for as long as the
 * answer is silent. Where there is no connection the answer has a web stream.
 */
export function answerPushed(
  c: Context<AppEnv>,
  headers: Readonly<Record<string, string>>,
  write: WriteBody,
): Response {
  const outgoing = (c.env as { readonly outgoing?: ServerResponse } | undefined)?.outgoing;
  if (!outgoing) return c.body(toReadableStream(write), 200, headers);
  outgoing.writeHead(200, headers);
  const writer = write({
    hasRoom: () => !outgoing.writableNeedDrain,
    write: (bytes) => void outgoing.write(bytes),
    end: () => void outgoing.end(),
  });
  // Readers are to know that they are heard, even while there is nothing to say.
  outgoing.flushHeaders();
  outgoing.on("drain", writer.onRoom);
  outgoing.on("close", writer.onClose);
  if (outgoing.destroyed) writer.onClose();
  return RESPONSE_ALREADY_SENT;
}

function toReadableStream(write: WriteBody): ReadableStream<Uint8Array> {
  let writer: BodyWriter | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      writer = write({
        hasRoom: () => (controller.desiredSize ?? 0) > 0,
        write: (bytes) => controller.enqueue(bytes),
        end: () => controller.close(),
      });
    },
    pull: () => writer?.onRoom(),
    cancel: () => writer?.onClose(),
  });
}
