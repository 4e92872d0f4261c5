import { createHash } from "node:crypto";
import type { JSONSchema7 } from "@ai-sdk/provider";
import {
  dereference,
  type OutputUnit,
  type Schema,
  type SchemaDraft,
  Validator,
} from "@cfworker/json-schema";
import {
  type PreparedCall,
  type ServerTool,
  type ServerToolContext,
  type ServerToolResult,
  ToolFailure,
} from "../server-tool.ts";
import { untilAborted } from "../until-aborted.ts";

/** A tool that an operator adds to the server. `Input` is what `inputSchema` describes. */
export interface ServerToolOptions<Input = never> {
  /** 1 to 64 of `A-Z a-z 0-9 _ -`, unique on the server. */
  readonly name: string;
  /** For people. @default `name` */
  readonly title?: string;
  /** For the model: what the tool does, and when to call it. */
  readonly description: string;
  /** JSON Schema of the arguments, an object: draft 2020-12, or draft 7 where `$schema` says so. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /**
   * Whether the person is asked before a call runs; a function decides by the checked arguments. One
   * that throws is taken for a yes. @default false
   */
  readonly needsApproval?: boolean | ((input: Input) => boolean | Promise<boolean>);
  /** Whether whoever approves may change the arguments. @default false */
  readonly isEditable?: boolean;
  /** The longest a call may take, in milliseconds, at most 100,000. @default 30_000 */
  readonly timeoutMs?: number;
  /** Whether sessions get the tool that were made without an integration. @default false */
  readonly withoutIntegration?: boolean;
  /**
   * Does the work and gives what the model and the page are told: JSON of at most 65,536 bytes.
   * What it throws stays in the server's log, unless the error has `expose: true`.
   */
  execute(input: Input, context: ServerToolCallContext): unknown;
}

/** What a call of an operator's tool is handed. */
export interface ServerToolCallContext {
  /** Fires when the call is out of time, or the answer is stopped. */
  readonly signal: AbortSignal;
  readonly projectId: string;
  /** Whom the session was made for: `external_owner_id` of the mint. */
  readonly owner: string | null;
  /** Unique in its conversation. */
  readonly toolCallId: string;
  /** Unique to the call everywhere, for systems that take a key to do things once. */
  readonly idempotencyKey: string;
}

/** What a call gives at most, as JSON, in bytes. */
export const maxOutputBytes = 65_536;
/** What is told of an error at most, in characters. */
const maxErrorLength = 2_000;
const maxToldIssues = 5;

/**
 * Makes a tool of the server out of what an operator declares.
 *
 * @throws When its JSON Schema cannot be used.
 */
export function createOperatorTool(options: ServerToolOptions): ServerTool {
  const { name, title = name, description, timeoutMs = 30_000 } = options;
  // Of its own: what is changed later in the operator's object changes nothing here.
  const inputSchema = JSON.parse(JSON.stringify(options.inputSchema)) as JSONSchema7;
  const validator = createValidator(structuredClone(inputSchema) as Schema);
  return {
    name,
    title,
    description,
    inputSchema,
    isEditable: options.isEditable ?? false,
    hasEffects: true,
    withoutIntegration: options.withoutIntegration ?? false,
    prepare(input) {
      const { valid, errors } = validator.validate(input);
      const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
      if (!valid || !isObject) return { errorText: describe(errors) };
      return prepareCall(options, { input: input as never, timeoutMs });
    },
  };
}

/** @throws When the schema refers to something that it does not hold. */
function createValidator(schema: Schema): Validator {
  const draft: SchemaDraft = /draft-0?7/.test(String(schema.$schema)) ? "7" : "2020-12";
  const known = dereference(schema);
  for (const part of Object.values(known)) {
    if (typeof part !== "object" || typeof part.$ref !== "string") continue;
    const target = part.__absolute_ref__ ?? part.$ref;
    if (known[target] === undefined) throw new Error(`there is no ${part.$ref}`);
  }
  return new Validator(schema, draft, false);
}

function prepareCall(
  options: ServerToolOptions,
  { input, timeoutMs }: { readonly input: never; readonly timeoutMs: number },
): PreparedCall {
  return {
    async needsApproval() {
      const { needsApproval = false } = options;
      if (typeof needsApproval === "boolean") return needsApproval;
      try {
        // Nothing but a clear no lets a call run unasked.
        return (await needsApproval(input)) !== false;
      } catch {
        return true;
      }
    },
    run: (context) =>
      withinTime(timeoutMs, context.signal, async (signal) =>
        toResult(await options.execute(input, toCallContext(context, signal))),
      ).catch((error: unknown) => {
        throw told(error) ?? error;
      }),
  };
}

function toCallContext(
  { projectId, owner, threadId, toolCallId }: ServerToolContext,
  signal: AbortSignal,
): ServerToolCallContext {
  const idempotencyKey = createHash("sha256")
    .update(JSON.stringify([threadId, toolCallId]))
    .digest("base64url");
  return { signal, projectId, owner, toolCallId, idempotencyKey };
}

/** Work that is given up when its time is over or the run ends; it may go on unheard. */
async function withinTime<Value>(
  timeoutMs: number,
  runSignal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const time = new AbortController();
  const timer = setTimeout(
    () =>
      time.abort(new ToolFailure("The tool took too long. It may or may not have taken effect.")),
    timeoutMs,
  );
  const signal = AbortSignal.any([runSignal, time.signal]);
  try {
    signal.throwIfAborted();
    return await untilAborted(work(signal), signal);
  } finally {
    clearTimeout(timer);
  }
}

function toResult(output: unknown): ServerToolResult {
  let json: string | undefined;
  try {
    json = JSON.stringify(output ?? null);
  } catch (cause) {
    throw new ToolFailure("The tool did its work, but its result is not JSON.", { cause });
  }
  if (json === undefined || Buffer.byteLength(json) > maxOutputBytes) {
    throw new ToolFailure("The tool did its work, but its result is too large to read.");
  }
  // What was checked is what is kept: a result that changes later changes nothing here.
  return { value: JSON.parse(json) as unknown, sources: [] };
}

/** The words of an error that says it may be shown. */
function told(error: unknown): ToolFailure | undefined {
  if (error instanceof ToolFailure) return error;
  if (!(error instanceof Error) || !("expose" in error) || error.expose !== true) return undefined;
  return new ToolFailure(error.message.slice(0, maxErrorLength), { cause: error });
}

function describe(errors: readonly OutputUnit[]): string {
  const issues = errors
    .slice(0, maxToldIssues)
    .map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
  return `The arguments do not fit. ${issues.join("; ") || "They must be an object."}`;
}
