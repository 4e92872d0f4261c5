import { createServer, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { createProblem, type ErrorCode } from "@valet/protocol";
import type { Hono } from "hono";
import type { AppEnv } from "./app-env.ts";
import type { QuickAnswer } from "./quick-answer.ts";

/** Where to listen. */
export type ListenPlace =
  | { readonly port: number; readonly host: string }
  /** A Unix socket. */
  | { readonly path: string };

/** What one request may take before the app sees it. */
export interface RequestBounds {
  /** All headers together, in bytes. @default 8_192 */
  readonly maxHeaderBytes?: number;
  /** How long the headers may take to arrive, in milliseconds. @default 10_000 */
  readonly headersTimeoutMs?: number;
  /** How long the whole request may take to arrive, in milliseconds. @default 30_000 */
  readonly requestTimeoutMs?: number;
  /** How often connections are checked for these times, in milliseconds. @default 1_000 */
  readonly checkEveryMs?: number;
}

/** What stands before the app. */
export interface ListenOptions extends RequestBounds {
  /** Answers some requests in the app's place. */
  readonly quickAnswer?: QuickAnswer | undefined;
}

/**
 * Starts to listen. A request that is too large, too slow or no HTTP at all is answered with a
 * problem, too, and costs its connection.
 */
export function listen(
  app: Hono<AppEnv>,
  place: ListenPlace,
  {
    maxHeaderBytes = 8_192,
    headersTimeoutMs = 10_000,
    requestTimeoutMs = 30_000,
    checkEveryMs = 1_000,
    quickAnswer = () => false,
  }: ListenOptions = {},
): Promise<Server> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    createServer: ((options: object, answer: RequestListener) =>
      createServer(options, (incoming, outgoing) => {
        if (!quickAnswer(incoming, outgoing)) answer(incoming, outgoing);
      })) as typeof createServer,
    // Its own `Request` and `Response` are made of plain values until somebody asks for more.
    overrideGlobalObjects: true,
    serverOptions: {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: checkEveryMs,
    },
  }) as Server;
  server.on("clientError", answerBrokenRequest);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(place, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}

const codes: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: "headers_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
};

/** The app has not seen the request: no route knows it, and no log line has its id. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // Whoever has left, or has had a part of an answer already, is told nothing more.
  if (error.code === "ECONNRESET" || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const code = codes[error.code ?? ""] ?? "invalid_request";
  const problem = createProblem(
    code,
    code === "invalid_request" ? { detail: "This is not a valid HTTP request." } : {},
  );
  const body = JSON.stringify(problem);
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      "content-type: application/problem+json",
      `content-length: ${Buffer.byteLength(body)}`,
      "cache-control: no-store",
      // Nothing of the request is in the answer: a page may read why it got none.
      "access-control-allow-origin: *",
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}
