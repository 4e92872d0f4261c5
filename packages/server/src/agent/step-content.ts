import type {
  LanguageModelV3Message,
  LanguageModelV3StreamPart,
  SharedV3ProviderOptions,
} from "@ai-sdk/provider";
import type { StreamPart } from "@valet/protocol";
import type { Toolbox } from "./toolbox.ts";

/** The content of an assistant's message in a prompt. */
export type AssistantContent = Extract<LanguageModelV3Message, { role: "assistant" }>["content"];

/** A tool call as the model wrote it. */
export interface ModelCall {
  /** Unique in the thread. */
  readonly id: string;
  readonly name: string;
  readonly inputText: string;
}

/** Turns what a model says into frames for the page, and into the prompt of its next step. */
export interface StepContent {
  take(part: LanguageModelV3StreamPart): void;
  /** Ends what is open and gives the whole. Only a model that finished has made its calls. */
  close(): { readonly content: AssistantContent; readonly calls: readonly ModelCall[] };
}

/** What {@link createStepContent} needs. */
export interface StepContentOptions {
  readonly toolbox: Toolbox;
  readonly emit: (part: StreamPart) => void;
  readonly nextPartId: () => string;
  readonly claimCallId: (suggested: string) => string;
}

/** Creates the reader of one step. */
export function createStepContent({
  toolbox,
  emit,
  nextPartId,
  claimCallId,
}: StepContentOptions): StepContent {
  const pieces: Piece[] = [];
  /** By kind and the model's own id, which may come again in the next step. */
  const open = new Map<string, TextPiece>();
  const callIds = new Map<string, string>();

  function text(kind: "text" | "reasoning", id: string): TextPiece {
    const name = `${kind} ${id}`;
    const known = open.get(name);
    if (known) return known;
    const piece: TextPiece = { kind, id: undefined, text: "", metadata: undefined };
    open.set(name, piece);
    pieces.push(piece);
    return piece;
  }

  function add(piece: TextPiece, delta: string): void {
    if (delta === "") return;
    // Begun with its first letter: an empty block is nothing to show.
    if (piece.id === undefined) {
      piece.id = nextPartId();
      emit({ type: `${piece.kind}-start`, id: piece.id });
    }
    piece.text += delta;
    emit({ type: `${piece.kind}-delta`, id: piece.id, delta });
  }

  function end(kind: "text" | "reasoning", id: string): void {
    const piece = open.get(`${kind} ${id}`);
    open.delete(`${kind} ${id}`);
    if (piece?.id !== undefined) emit({ type: `${kind}-end`, id: piece.id });
  }

  function callId(modelId: string): string {
    const known = callIds.get(modelId);
    if (known) return known;
    const id = claimCallId(modelId);
    callIds.set(modelId, id);
    return id;
  }

  function dynamic(toolName: string): { dynamic?: true } {
    return toolbox.sideOf(toolName) === "server" ? {} : { dynamic: true };
  }

  return {
    take(part) {
      switch (part.type) {
        case "text-start":
        case "reasoning-start":
          note(text(kindOf(part.type), part.id), part.providerMetadata);
          break;
        case "text-delta":
        case "reasoning-delta": {
          const piece = text(kindOf(part.type), part.id);
          note(piece, part.providerMetadata);
          add(piece, part.delta);
          break;
        }
        case "text-end":
        case "reasoning-end":
          note(text(kindOf(part.type), part.id), part.providerMetadata);
          end(kindOf(part.type), part.id);
          break;
        case "tool-input-start":
          if (part.providerExecuted || !toolbox.sideOf(part.toolName)) break;
          emit({
            type: "tool-input-start",
            toolCallId: callId(part.id),
            toolName: part.toolName,
            ...dynamic(part.toolName),
          });
          break;
        case "tool-input-delta": {
          const toolCallId = callIds.get(part.id);
          if (toolCallId === undefined) break;
          emit({ type: "tool-input-delta", toolCallId, inputTextDelta: part.delta });
          break;
        }
        case "tool-call":
          if (part.providerExecuted) break;
          pieces.push({
            kind: "call",
            call: {
              id: callId(part.toolCallId),
              name: part.toolName,
              inputText: part.input,
            },
            metadata: part.providerMetadata,
          });
          break;
        default:
      }
    },
    close() {
      for (const [name, piece] of open) {
        if (piece.id !== undefined) emit({ type: `${piece.kind}-end`, id: piece.id });
        open.delete(name);
      }
      const calls = pieces.flatMap((piece) => (piece.kind === "call" ? [piece.call] : []));
      return { content: pieces.flatMap(toPromptPart), calls };
    },
  };
}

interface TextPiece {
  readonly kind: "text" | "reasoning";
  id: string | undefined;
  text: string;
  metadata: SharedV3ProviderOptions | undefined;
}

type Piece =
  | TextPiece
  | {
      readonly kind: "call";
      readonly call: ModelCall;
      readonly metadata: SharedV3ProviderOptions | undefined;
    };

function kindOf(type: `${"text" | "reasoning"}-${string}`): "text" | "reasoning" {
  return type.startsWith("text") ? "text" : "reasoning";
}

/** What a provider says of a block, its signature say, may come with any of its parts. */
function note(piece: TextPiece, metadata: SharedV3ProviderOptions | undefined): void {
  if (metadata) piece.metadata = metadata;
}

function toPromptPart(piece: Piece): AssistantContent {
  const options = piece.metadata ? { providerOptions: piece.metadata } : {};
  if (piece.kind === "call") {
    const { id, name, inputText } = piece.call;
    const input = readJson(inputText);
    return [{ type: "tool-call", toolCallId: id, toolName: name, input, ...options }];
  }
  if (piece.text === "" && piece.metadata === undefined) return [];
  if (piece.kind === "text" && piece.text === "") return [];
  return [{ type: piece.kind, text: piece.text, ...options }];
}

/** Arguments as the prompt repeats them: providers take nothing but an object. */
function readJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
