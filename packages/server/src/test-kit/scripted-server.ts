import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Piece,
  readScript,
  type Scripted,
  type ScriptedRefusal,
  type ScriptedStep,
} from "./scripted-step.ts";

/** A model's provider on a port of this machine, which says what a test tells it. */
export interface ScriptedServer {
  /** For `VALET_MODEL_BASE_URL`, or the `baseURL` of a provider package. */
  readonly baseUrl: string;
  /** Every request so far, in order. */
  readonly requests: readonly ScriptedRequest[];
  /** Answers that are being written now. */
  readonly open: number;
  /** Resolves when a client has hung up on an answer that was still going on. */
  readonly hungUp: Promise<void>;
  /** Cuts what is open and stops listening. */
  close(): Promise<void>;
}

/** A request that a provider got. */
export interface ScriptedRequest {
  readonly headers: IncomingHttpHeaders;
  /** The JSON of its body. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** How one provider writes what a step says. */
export interface Dialect {
  /** The end of {@link ScriptedServer.baseUrl}, such as `/v1`. */
  readonly basePath: string;
  /** The one path that is answered, below the base. */
  readonly path: string;
  /** Begins an answer. */
  answer(): StepWriter;
  /** An error in the middle of a stream. */
  readonly error: string;
  /** The body of a refusal. */
  refusal(refusal: ScriptedRefusal): unknown;
}

/** Writes one answer, in this order. */
export interface StepWriter {
  /** Everything before the first piece. */
  begin(step: ScriptedStep): string;
  /** A piece; `previous` is the one before it. */
  piece(piece: Piece, previous: Piece | undefined): string;
  /** Everything behind the last piece. */
  end(step: ScriptedStep, last: Piece | undefined): string;
}

/** Starts a server that speaks a dialect. */
export async function startScriptedServer(
  dialect: Dialect,
  steps: readonly Scripted<ScriptedRequest>[],
): Promise<ScriptedServer> {
  const script = readScript(steps);
  const requests: ScriptedRequest[] = [];
  let open = 0;
  let onHangUp: () => void = () => undefined;
  const hungUp = new Promise<void>((resolve) => {
    onHangUp = resolve;
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const path = `${dialect.basePath}${dialect.path}`;
    if (request.method !== "POST" || request.url !== path) {
      response.writeHead(404).end(`This server answers POST ${path} only.`);
      return;
    }
    const body = JSON.parse(Buffer.concat(pieces).toString()) as ScriptedRequest["body"];
    const asked = { headers: request.headers, body };
    requests.push(asked);
    open += 1;
    response.on("close", () => {
      open -= 1;
      if (!response.writableEnded && !response.errored) onHangUp();
    });
    await write(dialect, script.next(asked), (step) => script.pieces(step), response);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // A script of the test that throws must be seen there, not take the process down.
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}${dialect.basePath}`,
    requests,
    get open() {
      return open;
    },
    hungUp,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function write(
  dialect: Dialect,
  step: ScriptedStep,
  piecesOf: (step: ScriptedStep) => Piece[],
  response: ServerResponse,
): Promise<void> {
  if (step.refuses) {
    const { status, headers } = step.refuses;
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(dialect.refusal(step.refuses)));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const writer = dialect.answer();
  await flush(response, writer.begin(step));
  let previous: Piece | undefined;
  for (const [at, piece] of piecesOf(step).entries()) {
    if (at > 0) await step.beforePiece?.(at);
    await flush(response, writer.piece(piece, previous));
    previous = piece;
  }
  switch (step.fails) {
    case "cut":
      response.end();
      return;
    case "reset":
      // What was written has left; whoever reads gets it, and then the reset.
      response.socket?.resetAndDestroy();
      return;
    case "malformed":
      response.end("data: {oops\n\n");
      return;
    case "error":
      response.end(dialect.error);
      return;
    case "hangs":
      return;
    default:
      response.end(writer.end(step, previous));
  }
}

/** Writes, and waits until the bytes have left this process. */
function flush(response: ServerResponse, text: string): Promise<void> {
  if (text === "" || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => response.write(text, () => resolve()));
}
