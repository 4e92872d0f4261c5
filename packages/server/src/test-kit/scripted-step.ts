/** One call of a model, as a test scripts it. Everything is optional: `{}` finishes without a word. */
export interface ScriptedStep {
  /** What the model thinks, in as many pieces as there are texts. */
  readonly reasoning?: string | readonly string[];
  /** What it says, in as many pieces as there are texts. */
  readonly text?: string | readonly string[];
  /** Tools that it calls, behind what it says. */
  readonly calls?: readonly ScriptedCall[];
  /** @default "tool-calls" with calls, "stop" without */
  readonly finishReason?: "stop" | "length" | "content-filter" | "tool-calls";
  /** What the provider counts. @default 10 and 5 */
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
  /** Waited for before every piece but the first: slow tokens, at the test's own pace. */
  readonly beforePiece?: (at: number) => Promise<unknown> | undefined;
  /** What happens in the place of finishing. */
  readonly fails?: ScriptedFailure;
  /** The provider refuses the call before anything is said. */
  readonly refuses?: ScriptedRefusal;
}

/** A call of a tool. */
export interface ScriptedCall {
  readonly name: string;
  /** The arguments; a text is sent as it is, also when it is no JSON. */
  readonly input: unknown;
  /** @default "call_1", "call_2" and so on, counted over all steps */
  readonly id?: string;
}

/**
 * How a stream goes wrong behind what was said: it ends without its last part (`cut`), its
 * connection is reset (`reset`), it is no JSON (`malformed`), it brings the provider's own error
 * (`error`), or nothing more comes until somebody hangs up (`hangs`).
 */
export type ScriptedFailure = "cut" | "reset" | "malformed" | "error" | "hangs";

/** A refusal, as HTTP says it. */
export interface ScriptedRefusal {
  readonly status: number;
  /** In the provider's own words. @default "The provider refuses." */
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A step, or what makes one of the request that the provider got. */
export type Scripted<Request> = ScriptedStep | ((request: Request) => ScriptedStep);

/** A piece of a step in the order in which it is said. */
export type Piece =
  | { readonly kind: "reasoning" | "text"; readonly text: string; readonly isFirst: boolean }
  | { readonly kind: "call"; readonly id: string; readonly name: string; readonly input: string };

/** What a script says when it is asked again and again. */
export interface ScriptReader<Request> {
  /** The step for the next request; the last one serves all later requests. */
  next(request: Request): ScriptedStep;
  /** The pieces of a step, with an id for each call. */
  pieces(step: ScriptedStep): Piece[];
}

/** Reads a script from its beginning. @throws RangeError For a script without a step. */
export function readScript<Request>(steps: readonly Scripted<Request>[]): ScriptReader<Request> {
  if (steps.length === 0) throw new RangeError("Give at least one step.");
  let asked = 0;
  let called = 0;
  return {
    next(request) {
      const step = steps[Math.min(asked, steps.length - 1)] ?? {};
      asked += 1;
      return typeof step === "function" ? step(request) : step;
    },
    pieces({ reasoning = [], text = [], calls = [] }) {
      const said = (kind: "reasoning" | "text", texts: string | readonly string[]) =>
        (typeof texts === "string" ? [texts] : texts).map((piece, at) => ({
          kind,
          text: piece,
          isFirst: at === 0,
        }));
      return [
        ...said("reasoning", reasoning),
        ...said("text", text),
        ...calls.map(({ id, name, input }) => {
          called += 1;
          return {
            kind: "call" as const,
            id: id ?? `call_${called}`,
            name,
            input: typeof input === "string" ? input : JSON.stringify(input),
          };
        }),
      ];
    },
  };
}

/** Why a step finishes. */
export function finishReasonOf({ finishReason, calls = [] }: ScriptedStep) {
  return finishReason ?? (calls.length > 0 ? "tool-calls" : "stop");
}

/** What a step counts. */
export function usageOf({ usage = { inputTokens: 10, outputTokens: 5 } }: ScriptedStep) {
  return usage;
}

/** What a refusal says. */
export function messageOf({ message = "The provider refuses." }: ScriptedRefusal): string {
  return message;
}

/** Arguments in two parts, as providers send them. */
export function halves(text: string): [string, string] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}
