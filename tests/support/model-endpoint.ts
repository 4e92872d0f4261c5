import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server sent to its model. */
export interface ModelRequest {
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

/** A model provider that speaks the OpenAI protocol, over HTTP. */
export interface ModelEndpoint {
  /** Makes a Valet server use it. */
  readonly variables: Readonly<Record<string, string>>;
  readonly requests: readonly ModelRequest[];
  /** Answers that are being written now. */
  readonly open: () => number;
  close(): Promise<void>;
}

/** What {@link openModelEndpoint} answers with. */
export interface ModelEndpointOptions {
  /** Words of an answer. @default ["Yes."] */
  readonly words?: readonly string[];
  /** Whether the answer goes on until somebody hangs up. @default false */
  readonly isEndless?: boolean;
  /** A tool that it calls first; the words come when it has the output. */
  readonly calls?: { readonly name: string; readonly input: object };
  /** A status in the place of 200, with a body that quotes the request. */
  readonly failsWith?: number;
}

/** Opens one on a free port. */
export async function openModelEndpoint({
  words = ["Yes."],
  isEndless = false,
  calls,
  failsWith,
}: ModelEndpointOptions = {}): Promise<ModelEndpoint> {
  const requests: ModelRequest[] = [];
  let open = 0;
  const server = createServer(async (request, answer) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    requests.push(JSON.parse(body) as ModelRequest);
    if (failsWith !== undefined) {
      answer.writeHead(failsWith, { "content-type": "application/json" });
      answer.end(
        JSON.stringify({
          error: { message: `Refused: ${JSON.stringify(request.headers)} ${body}` },
        }),
      );
      return;
    }
    answer.writeHead(200, { "content-type": "text/event-stream" });
    open += 1;
    const write = (choice: object, more: object = {}) =>
      answer.write(
        `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, finish_reason: null, delta: {}, ...choice }], ...more })}\n\n`,
      );
    const asked = requests.at(-1)?.messages ?? [];
    if (calls && !asked.some(({ role }) => role === "tool")) {
      const { name, input } = calls;
      const call = {
        index: 0,
        id: "call_1",
        type: "function",
        function: { name, arguments: JSON.stringify(input) },
      };
      write({ delta: { role: "assistant", tool_calls: [call] } });
      write({ finish_reason: "tool_calls" });
      answer.end("data: [DONE]\n\n");
      return;
    }
    for (const word of words) write({ delta: { role: "assistant", content: word } });
    const usage = { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 };
    const drip = isEndless
      ? setInterval(() => write({ delta: { content: "more " } }), 5)
      : undefined;
    answer.on("close", () => {
      open -= 1;
      clearInterval(drip);
    });
    if (isEndless) return;
    write({ finish_reason: "stop" }, { usage });
    answer.end("data: [DONE]\n\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    variables: {
      VALET_MODEL: "openai-compatible/test",
      VALET_MODEL_BASE_URL: `http://127.0.0.1:${port}/v1`,
    },
    requests,
    open: () => open,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
