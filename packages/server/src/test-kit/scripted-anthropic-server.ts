import {
  type Dialect,
  type ScriptedRequest,
  type ScriptedServer,
  type StepWriter,
  startScriptedServer,
} from "./scripted-server.ts";
import {
  finishReasonOf,
  halves,
  messageOf,
  type Piece,
  type Scripted,
  usageOf,
} from "./scripted-step.ts";

/**
 * Starts a server that speaks Anthropic's messages over HTTP: for `VALET_MODEL` of the provider
 * `anthropic`. What the model thinks is signed, as there. The last step serves all later requests.
 *
 * @throws RangeError Without a step.
 */
export function scriptedAnthropicServer(
  ...steps: readonly Scripted<ScriptedRequest>[]
): Promise<ScriptedServer> {
  return startScriptedServer(dialect, steps);
}

const reasons = {
  stop: "end_turn",
  length: "max_tokens",
  "content-filter": "refusal",
  "tool-calls": "tool_use",
} as const;

const dialect: Dialect = {
  basePath: "/v1",
  path: "/messages",
  answer: createWriter,
  get error() {
    return event("error", {
      error: { type: "overloaded_error", message: "The provider says that it failed." },
    });
  },
  refusal: (refusal) => ({
    type: "error",
    error: {
      type: refusal.status === 529 ? "overloaded_error" : "api_error",
      message: messageOf(refusal),
    },
  }),
};

function createWriter(): StepWriter {
  /** The block that is open. */
  let index = -1;
  const start = (block: object) => {
    index += 1;
    return event("content_block_start", { index, content_block: block });
  };
  const delta = (what: object) => event("content_block_delta", { index, delta: what });
  function stop(block: Piece | undefined): string {
    if (!block) return "";
    const signature =
      block.kind === "reasoning"
        ? delta({ type: "signature_delta", signature: "signed-by-the-provider" })
        : "";
    return signature + event("content_block_stop", { index });
  }

  return {
    begin(step) {
      const message = {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "scripted",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: usageOf(step).inputTokens, output_tokens: 0 },
      };
      return event("message_start", { message }) + event("ping", {});
    },
    piece(piece, previous) {
      const ended = piece.kind === "call" || piece.isFirst ? stop(previous) : "";
      if (piece.kind === "call") {
        const { id, name, input } = piece;
        const began = start({ type: "tool_use", id, name, input: {} });
        const halved = halves(input).map((half) =>
          delta({ type: "input_json_delta", partial_json: half }),
        );
        return ended + began + halved.join("");
      }
      if (piece.kind === "text") {
        const began = piece.isFirst ? start({ type: "text", text: "" }) : "";
        return ended + began + delta({ type: "text_delta", text: piece.text });
      }
      const began = piece.isFirst ? start({ type: "thinking", thinking: "", signature: "" }) : "";
      return ended + began + delta({ type: "thinking_delta", thinking: piece.text });
    },
    end(step, last) {
      return (
        stop(last) +
        event("message_delta", {
          delta: { stop_reason: reasons[finishReasonOf(step)], stop_sequence: null },
          usage: { output_tokens: usageOf(step).outputTokens },
        }) +
        event("message_stop", {})
      );
    },
  };
}

function event(type: string, more: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
}
