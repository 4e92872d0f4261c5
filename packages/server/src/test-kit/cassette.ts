import type { LanguageModelV3CallOptions, LanguageModelV3StreamPart } from "@ai-sdk/provider";

/** One line of a cassette: a call of the model and what it said. */
export interface RecordedCall {
  readonly request: RecordedRequest;
  /** The parts of the stream, in order, without what only the provider's HTTP answer says. */
  readonly parts: readonly LanguageModelV3StreamPart[];
  /** How the stream ended: with its last part, too early, or in an error. */
  readonly ended: "finished" | "cut" | "failed";
  readonly error?: {
    readonly name: string;
    readonly status?: number;
    readonly retryAfter?: string;
  };
}

/** What of a request is recorded: what a model is told, and nothing that proves who asks. */
export interface RecordedRequest {
  readonly prompt: unknown;
  readonly tools: unknown;
  readonly maxOutputTokens?: number;
}

/** Reads what is recorded of a request. */
export function toRecordedRequest({
  prompt,
  tools = [],
  maxOutputTokens,
}: LanguageModelV3CallOptions): RecordedRequest {
  return { prompt, tools, ...(maxOutputTokens !== undefined && { maxOutputTokens }) };
}

const hidden = "[redacted]";

/**
 * JSON of a value with everything taken out that looks like a credential, and with these secrets
 * taken out word for word.
 */
export function toSafeJson(value: unknown, secrets: readonly string[] = []): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== "string") return inner;
    let text = inner
      .replace(/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${hidden}`)
      .replace(/\b(?:sk|pk|rk|key|api[-_]?key|token|agk|ast)[-_][\w*.-]{8,}/gi, hidden);
    for (const secret of secrets) if (secret !== "") text = text.replaceAll(secret, hidden);
    return text;
  });
}

/** Reads a cassette. @throws Error For a line that is none of a cassette, with its number. */
export function parseCassette(text: string): RecordedCall[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line, at) => {
      try {
        const call = JSON.parse(line) as RecordedCall;
        if (Array.isArray(call.parts) && call.request) return call;
      } catch {
        // Said below.
      }
      throw new Error(`Line ${at + 1} is no recorded call of a model.`);
    });
}
