import { readFileSync } from "node:fs";
import type { LanguageModelV3, LanguageModelV3StreamPart } from "@ai-sdk/provider";
import {
  parseCassette,
  type RecordedCall,
  type RecordedRequest,
  toRecordedRequest,
  toSafeJson,
} from "./cassette.ts";

/** What {@link replayModel} may be told. */
export interface ReplayModelOptions {
  /** The secrets that the recording was made with. */
  readonly secrets?: readonly string[];
  /** Whether each call must be told what the recorded one was told. @default true */
  readonly strict?: boolean;
}

/**
 * A model that says what {@link recordModel} wrote down, call by call, without a network. A call
 * that asks something else than the recorded one fails, and says what differs: then what the
 * model is told has changed, and the recording must be made again.
 *
 * @throws Error For a file that is no cassette.
 */
export function replayModel(
  file: string,
  { secrets = [], strict = true }: ReplayModelOptions = {},
): LanguageModelV3 {
  const recorded = parseCassette(readFileSync(file, "utf8"));
  let asked = 0;
  return {
    specificationVersion: "v3",
    provider: "replay",
    modelId: "replay-1",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("Only streams are replayed.")),
    async doStream(options) {
      const call = recorded[asked];
      asked += 1;
      if (!call) throw refusal(`${file} has ${recorded.length} calls; this is one more.`);
      const request = JSON.parse(
        toSafeJson(toRecordedRequest(options), secrets),
      ) as RecordedRequest;
      const difference = strict ? differenceOf(call.request, request) : undefined;
      if (difference !== undefined) {
        throw refusal(
          `Call ${asked} of ${file} was told something else: ${difference}. Record again.`,
        );
      }
      if (call.ended === "failed" && call.parts.length === 0) throw errorOf(call);
      return { stream: streamOf(call) };
    },
  };
}

/** Not worth a second try: the same call would meet the same line. */
function refusal(message: string): Error {
  return Object.assign(new Error(message), { statusCode: 400 });
}

function errorOf({ error = { name: "Error" } }: RecordedCall): Error {
  const { name, status, retryAfter } = error;
  return Object.assign(new Error("The recorded call failed."), {
    name,
    ...(status !== undefined && { statusCode: status }),
    ...(retryAfter !== undefined && { responseHeaders: { "retry-after": retryAfter } }),
  });
}

function streamOf(call: RecordedCall): ReadableStream<LanguageModelV3StreamPart> {
  return new ReadableStream<LanguageModelV3StreamPart>({
    start(controller) {
      for (const part of call.parts) controller.enqueue(part);
      if (call.ended === "failed") controller.enqueue({ type: "error", error: errorOf(call) });
      controller.close();
    },
  });
}

/** Where two requests differ first, in words. */
function differenceOf(recorded: RecordedRequest, now: RecordedRequest): string | undefined {
  const [was, is] = [recorded.prompt, now.prompt].map((prompt) =>
    Array.isArray(prompt) ? (prompt as { readonly role?: string }[]) : [],
  );
  const length = Math.max(was?.length ?? 0, is?.length ?? 0);
  for (let at = 0; at < length; at += 1) {
    if (JSON.stringify(was?.[at]) === JSON.stringify(is?.[at])) continue;
    return `message ${at + 1} of its prompt (${is?.[at]?.role ?? was?.[at]?.role ?? "none"})`;
  }
  if (JSON.stringify(recorded.tools) !== JSON.stringify(now.tools)) return "its tools";
  if (recorded.maxOutputTokens !== now.maxOutputTokens) return "how much it may say";
  return undefined;
}
