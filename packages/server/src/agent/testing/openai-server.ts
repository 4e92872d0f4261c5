import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a scripted server answers one request. */
export type OpenAiReply = (response: ServerResponse, body: OpenAiRequest) => void;

/** What of a request a test looks at. */
interface OpenAiRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}

/** A server that speaks OpenAI's chat completions and says what a test tells it. */
export interface OpenAiServer {
  /** For `VALET_MODEL_BASE_URL`. */
  readonly baseUrl: string;
  readonly requests: readonly OpenAiRequest[];
  /** The `authorization` of each request. */
  readonly credentials: readonly (string | undefined)[];
  /** Resolves when a client has hung up on a reply that was still going on. */
  readonly hungUp: Promise<void>;
  close(): Promise<void>;
}

/** Starts a server on a port of its own; the last reply serves all later requests. */
export async function startOpenAiServer(...replies: readonly OpenAiReply[]): Promise<OpenAiServer> {
  const requests: OpenAiRequest[] = [];
  const credentials: (string | undefined)[] = [];
  let onHangUp: () => void = () => undefined;
  const hungUp = new Promise<void>((resolve) => {
    onHangUp = resolve;
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = JSON.parse(Buffer.concat(pieces).toString()) as OpenAiRequest;
    const reply = replies[Math.min(requests.length, replies.length - 1)];
    requests.push(body);
    credentials.push(request.headers.authorization);
    response.on("close", () => {
      if (!response.writableEnded) onHangUp();
    });
    reply?.(response, body);
  }
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    credentials,
    hungUp,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Streams these deltas and a finish reason. */
export function streams(
  deltas: readonly Readonly<Record<string, unknown>>[],
  finishReason: string,
): OpenAiReply {
  return (response) => {
    begin(response);
    for (const delta of deltas) write(response, delta);
    write(response, {}, finishReason);
    response.write(
      `data: ${JSON.stringify({ ...frame, choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } })}\n\n`,
    );
    response.end("data: [DONE]\n\n");
  };
}

/** Streams these deltas and then does something else. */
export function streamsThen(
  deltas: readonly Readonly<Record<string, unknown>>[],
  then: (response: ServerResponse) => void,
): OpenAiReply {
  return (response) => {
    begin(response);
    for (const delta of deltas) write(response, delta);
    // After the bytes have left, so that what follows comes after them.
    setImmediate(() => then(response));
  };
}

/** Refuses with a status and a body. */
export function refuses(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): OpenAiReply {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

const frame = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m" };

function begin(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
}

function write(response: ServerResponse, delta: unknown, finishReason: string | null = null): void {
  const choices = [{ index: 0, delta, finish_reason: finishReason }];
  response.write(`data: ${JSON.stringify({ ...frame, choices })}\n\n`);
}
