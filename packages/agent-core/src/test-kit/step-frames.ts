import type { StreamPart } from "@valet/protocol";

/** A call of a tool. */
export interface ScriptedCall {
  readonly name: string;
  /** @default {} */
  readonly input?: unknown;
  /** @default one that no other call has */
  readonly id?: string;
  /** Who runs it. @default "page" */
  readonly side?: "page" | "server";
  /** What the server's own tool gives. Left out, the call stays open. */
  readonly output?: unknown;
  /** Whether the server asks for an approval. @default false */
  readonly needsApproval?: boolean;
  /** Whether an approval may bring other arguments. @default false */
  readonly isEditable?: boolean;
}

/** A passage that the answer rests on; the text cites the first one as `[1]`. */
export interface ScriptedSource {
  readonly title: string;
  readonly url: string;
  /** @default "" */
  readonly snippet?: string;
}

/** What one request for an answer gets. */
export interface AgentStep {
  /** What is said: a text, or several that come as pieces. */
  readonly text?: string | readonly string[];
  /** Sources, found before anything is said. Those whose `[n]` stands in the text are cited. */
  readonly sources?: readonly ScriptedSource[];
  /** Tools that are called then. While one of them is open the page owes what comes of it. */
  readonly calls?: readonly ScriptedCall[];
  /** Waited for before each piece of text but the first: an answer at the pace of the test. */
  readonly beforePiece?: () => Promise<void>;
  /**
   * What happens in the place of the end: `cut` breaks the connection, and the end comes when the
   * page attaches again; or the answer fails with a code.
   */
  readonly fails?: "cut" | { readonly code: string; readonly retryable?: boolean };
  /** The request is refused before anything is said. */
  readonly refuses?: {
    readonly status: number;
    readonly code: string;
    readonly retryAfterS?: number;
  };
}

/** What names a run. */
export interface RunNames {
  readonly threadId: string;
  readonly runId: string;
  readonly messageId: string;
}

/** The frames of a step, its end included. */
export function framesOf(step: AgentStep, { threadId, runId, messageId }: RunNames): StreamPart[] {
  const { calls = [], sources = [], fails } = step;
  const pieces = typeof step.text === "string" ? [step.text] : (step.text ?? []);
  const said = pieces.join("");
  const open = calls.filter(({ output }) => output === undefined);
  const cited = sources.flatMap((_, at) => (said.includes(`[${at + 1}]`) ? [`s${at + 1}`] : []));
  return [
    { type: "start", messageId, messageMetadata: { threadId, runId } },
    { type: "start-step" },
    ...sources.map(toSourceFrame),
    ...(pieces.length > 0 ? toTextFrames(pieces, `${runId}_t`) : []),
    ...calls.flatMap((call, at) => toCallFrames(call, `${runId}_c${at + 1}`)),
    ...(cited.length > 0
      ? [{ type: "message-metadata", messageMetadata: { cited } } as const]
      : []),
    { type: "finish-step" },
    ...(typeof fails === "object" ? toFailureFrames(fails) : []),
    {
      type: "finish",
      finishReason: typeof fails === "object" ? "error" : open.length > 0 ? "tool-calls" : "stop",
    },
  ];
}

function toSourceFrame({ title, url, snippet = "" }: ScriptedSource, at: number): StreamPart {
  const valet = { number: at + 1, headingPath: [title], snippet, toolCallId: "" };
  return { type: "source-url", sourceId: `s${at + 1}`, url, title, providerMetadata: { valet } };
}

function toTextFrames(pieces: readonly string[], id: string): StreamPart[] {
  return [
    { type: "text-start", id },
    ...pieces.map((delta): StreamPart => ({ type: "text-delta", id, delta })),
    { type: "text-end", id },
  ];
}

function toCallFrames(call: ScriptedCall, ownId: string): StreamPart[] {
  const { name: toolName, input = {}, id: toolCallId = ownId, side = "page", output } = call;
  const dynamic = side === "page" ? { dynamic: true } : {};
  return [
    { type: "tool-input-available", toolCallId, toolName, input, ...dynamic },
    ...(call.needsApproval
      ? [
          {
            type: "tool-approval-request",
            approvalId: `ap_${toolCallId}`,
            toolCallId,
            isEditable: call.isEditable ?? false,
          } as const,
        ]
      : []),
    ...(output === undefined
      ? []
      : [{ type: "tool-output-available", toolCallId, output, ...dynamic } as const]),
  ];
}

function toFailureFrames(fails: {
  readonly code: string;
  readonly retryable?: boolean;
}): StreamPart[] {
  const { code, retryable = true } = fails;
  return [
    {
      type: "data-error",
      transient: true,
      data: { code, retryable, requestId: "req_scripted" },
    } as StreamPart,
    { type: "error", errorText: "The answer failed." },
  ];
}
