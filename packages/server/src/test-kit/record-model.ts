import { appendFileSync, writeFileSync } from "node:fs";
import type { LanguageModelV3, LanguageModelV3StreamPart } from "@ai-sdk/provider";
import { type AiSdkModel, fromAiSdk } from "../agent/models/ai-sdk-model.ts";
import { type RecordedCall, toRecordedRequest, toSafeJson } from "./cassette.ts";

/** What {@link recordModel} may be told. */
export interface RecordModelOptions {
  /** Texts that must not stand in the file, such as a key, beside what looks like one anyway. */
  readonly secrets?: readonly string[];
}

/**
 * A model that passes every call on to a real one and writes down what it said, a line of JSON
 * for each call, for {@link replayModel}. The file is begun anew. Neither headers nor keys are
 * written, and what looks like a credential in a text is taken out; questions and passages are
 * there in full.
 *
 * @param file Path of the cassette; its folder must exist.
 */
export function recordModel(
  model: AiSdkModel,
  file: string,
  { secrets = [] }: RecordModelOptions = {},
): LanguageModelV3 {
  const real = fromAiSdk(model);
  writeFileSync(file, "");
  const write = (call: RecordedCall) => appendFileSync(file, `${toSafeJson(call, secrets)}\n`);
  return {
    specificationVersion: "v3",
    provider: real.provider,
    modelId: real.modelId,
    supportedUrls: real.supportedUrls,
    doGenerate: () => Promise.reject(new Error("Only streams are recorded.")),
    async doStream(options) {
      const request = toRecordedRequest(options);
      const parts: LanguageModelV3StreamPart[] = [];
      let isWritten = false;
      const finish = (ended: RecordedCall["ended"], error?: unknown) => {
        if (isWritten) return;
        isWritten = true;
        write({ request, parts, ended, ...(error !== undefined && { error: describe(error) }) });
      };
      let stream: ReadableStream<LanguageModelV3StreamPart>;
      try {
        ({ stream } = await real.doStream(options));
      } catch (error) {
        finish("failed", error);
        throw error;
      }
      const reader = stream.getReader();
      return {
        stream: new ReadableStream<LanguageModelV3StreamPart>(
          {
            async pull(controller) {
              try {
                const { done, value } = await reader.read();
                if (done) {
                  finish("cut");
                  controller.close();
                  return;
                }
                if (value.type === "error") finish("failed", value.error);
                else if (isKept(value)) parts.push(value);
                // Written before it is passed on: whoever has the end may read the file.
                if (value.type === "finish") finish("finished");
                controller.enqueue(value);
              } catch (error) {
                finish("failed", error);
                controller.error(error);
              }
            },
            cancel(reason) {
              finish("cut");
              return reader.cancel(reason);
            },
          },
          { highWaterMark: 0 },
        ),
      };
    },
  };
}

/** What only the provider's own answer says is nobody's business. */
function isKept({ type }: LanguageModelV3StreamPart): boolean {
  return type !== "raw" && type !== "response-metadata" && type !== "stream-start";
}

/** An error without its words, which providers like to put keys into. */
function describe(error: unknown): NonNullable<RecordedCall["error"]> {
  const { name, statusCode, responseHeaders } = (error ?? {}) as {
    readonly name?: unknown;
    readonly statusCode?: unknown;
    readonly responseHeaders?: Readonly<Record<string, string>>;
  };
  const retryAfter = responseHeaders?.["retry-after"];
  return {
    name: typeof name === "string" ? name : "Error",
    ...(typeof statusCode === "number" && { status: statusCode }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
}
