import {
  type Dialect,
  type ScriptedRequest,
  type ScriptedServer,
  startScriptedServer,
} from "./scripted-server.ts";
import { finishReasonOf, halves, messageOf, type Scripted, usageOf } from "./scripted-step.ts";

/**
 * Starts a server that speaks OpenAI's chat completions over HTTP: for `VALET_MODEL` of the
 * providers `openai` and `openai-compatible`. The last step serves all later requests.
 *
 * @throws RangeError Without a step.
 */
export function scriptedOpenAiServer(
  ...steps: readonly Scripted<ScriptedRequest>[]
): Promise<ScriptedServer> {
  return startScriptedServer(dialect, steps);
}

const reasons = {
  stop: "stop",
  length: "length",
  "content-filter": "content_filter",
  "tool-calls": "tool_calls",
} as const;

const dialect: Dialect = {
  basePath: "/v1",
  path: "/chat/completions",
  answer() {
    let calls = 0;
    return {
      begin: () => chunk({ role: "assistant", content: "" }),
      piece(piece) {
        if (piece.kind !== "call") {
          const name = piece.kind === "text" ? "content" : "reasoning_content";
          return chunk({ [name]: piece.text });
        }
        const index = calls;
        calls += 1;
        const [first, second] = halves(piece.input);
        const call = { index, id: piece.id, type: "function" };
        return (
          chunk({ tool_calls: [{ ...call, function: { name: piece.name, arguments: first } }] }) +
          chunk({ tool_calls: [{ index, function: { arguments: second } }] })
        );
      },
      end(step) {
        const { inputTokens, outputTokens } = usageOf(step);
        const usage = {
          prompt_tokens: inputTokens,
          completion_tokens: outputTokens,
          total_tokens: inputTokens + outputTokens,
        };
        return (
          chunk({}, reasons[finishReasonOf(step)]) +
          event({ ...frame(), choices: [], usage }) +
          "data: [DONE]\n\n"
        );
      },
    };
  },
  get error() {
    return event({ error: { message: "The provider says that it failed.", type: "server_error" } });
  },
  refusal: (refusal) => ({
    error: { message: messageOf(refusal), type: "invalid_request_error", code: null },
  }),
};

function frame() {
  return { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "scripted" };
}

function chunk(delta: object, finishReason: string | null = null): string {
  return event({ ...frame(), choices: [{ index: 0, delta, finish_reason: finishReason }] });
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
