import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3FinishReason,
  LanguageModelV3Prompt,
  LanguageModelV3StreamPart,
} from "@ai-sdk/provider";
import { randomBase62 } from "../../base62.ts";
import { buildQuery } from "../../knowledge/query.ts";
import { searchToolName } from "../search-tool.ts";
import { type Sleep, sleepFor } from "../until-aborted.ts";
import { composeExtract, type ExtractPassage } from "./extract.ts";

/** Options of {@link createExtractiveModel}. */
export interface ExtractiveModelOptions {
  /** Time between two pieces of an answer, so that people can follow it. @default 12 */
  readonly pieceDelayMs?: number;
  readonly sleep?: Sleep;
}

/**
 * The model that needs no model: it searches, and quotes what it finds with its sources. It writes
 * nothing of its own beyond a sentence that says so, and says when nothing fits. It speaks the same
 * specification as every other model, so that the loop around it is the real one.
 */
export function createExtractiveModel({
  pieceDelayMs = 12,
  sleep = sleepFor,
}: ExtractiveModelOptions = {}): LanguageModelV3 {
  return {
    specificationVersion: "v3",
    provider: "valet",
    modelId: "valet-extractive-1",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("valet-extractive-1 answers as a stream only.")),
    async doStream({ prompt, abortSignal }: LanguageModelV3CallOptions) {
      const signal = abortSignal ?? new AbortController().signal;
      const parts = readSearchResult(prompt)
        ? answer(composeExtract(readSearchResult(prompt)?.passages ?? []))
        : search(readQuery(prompt));
      return {
        stream: new ReadableStream<LanguageModelV3StreamPart>({
          async pull(controller) {
            const next = parts.next();
            if (next.done) return controller.close();
            if (next.value.type === "text-delta") await sleep(pieceDelayMs, signal);
            controller.enqueue(next.value);
          },
        }),
      };
    },
  };
}

function* search(query: string): Generator<LanguageModelV3StreamPart> {
  yield { type: "stream-start", warnings: [] };
  yield {
    type: "tool-call",
    toolCallId: `call_${randomBase62(16)}`,
    toolName: searchToolName,
    input: JSON.stringify({ query }),
  };
  yield finish({ unified: "tool-calls", raw: undefined }, query, "");
}

function* answer(text: string): Generator<LanguageModelV3StreamPart> {
  yield { type: "stream-start", warnings: [] };
  yield { type: "text-start", id: "1" };
  // Some words at a time, with the white space behind them.
  for (const [delta] of text.matchAll(/(?:\S+\s*){1,3}/g)) {
    yield { type: "text-delta", id: "1", delta };
  }
  yield { type: "text-end", id: "1" };
  yield finish({ unified: "stop", raw: undefined }, "", text);
}

/** It reads and writes no tokens in the sense of a language model; words are what there is. */
function finish(
  finishReason: LanguageModelV3FinishReason,
  read: string,
  written: string,
): LanguageModelV3StreamPart {
  const words = (text: string) => text.split(/\s+/).filter(Boolean).length;
  return {
    type: "finish",
    finishReason,
    usage: {
      inputTokens: { total: words(read), noCache: words(read), cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: words(written), text: words(written), reasoning: 0 },
    },
  };
}

/** What the search of this turn found, when it was the last thing that happened. */
function readSearchResult(
  prompt: LanguageModelV3Prompt,
): { passages: ExtractPassage[] } | undefined {
  const last = prompt.at(-1);
  if (last?.role !== "tool") return undefined;
  for (const part of last.content) {
    if (part.type !== "tool-result" || part.toolName !== searchToolName) continue;
    if (part.output.type !== "json") return { passages: [] };
    const { passages } = part.output.value as { passages?: ExtractPassage[] };
    return { passages: passages ?? [] };
  }
  return { passages: [] };
}

/** Words by which a question points back at the one before it. */
const pointsBack =
  /^(?:and|but|so|then|why|what about|how about)\b|\b(?:it|its|that|this|these|those|they|them|one)\b/i;

/**
 * What to search for: the last question. One that hardly says anything of its own and points back
 * ("and how do I do that?") goes on about the question before it.
 */
function readQuery(prompt: LanguageModelV3Prompt): string {
  const questions = prompt.flatMap((message) =>
    message.role === "user"
      ? [message.content.map((part) => (part.type === "text" ? part.text : "")).join(" ")]
      : [],
  );
  const last = questions.at(-1) ?? "";
  const before = questions.at(-2);
  const isThin = (buildQuery(last)?.contentWords ?? 0) < 2 && pointsBack.test(last.trim());
  return (isThin && before !== undefined ? `${before} ${last}` : last).slice(0, 1_000);
}
