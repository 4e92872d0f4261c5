import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ClientToolDeclaration } from "@valet/protocol";

/** JSON Schema of an object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What may describe a tool's arguments: JSON Schema, or any validator that speaks Standard Schema
 * and gives its JSON Schema (zod from 4.2, arktype; valibot through its converter).
 */
export type ToolParameters = JsonSchema | StandardSchemaV1;

/** A tool that runs in the page. */
export interface ToolDefinition<Context = unknown, Args = never> {
  /** 1 to 64 of `A-Z a-z 0-9 _ -`. The model calls it by this name. */
  readonly name: string;
  /** Tells the model what it does and when to use it. */
  readonly description: string;
  readonly parameters: ToolParameters;
  /** Does the work. What it returns goes to the model as data; what it throws, as an error. */
  execute(args: Args, context: Context, options?: ToolExecution): Promise<unknown> | unknown;
  /** What people read instead of the name. */
  readonly displayName?: string;
  /** Whether the person is asked first. @default false */
  readonly needsApproval?: boolean;
  /**
   * What becomes of a call that a page left behind: it was reloaded or closed, and nobody knows
   * whether the tool had begun. `"ask"` asks the person, whether or not the tool asks otherwise.
   * `"rerun"` runs it again, after approval where the tool asks for it: for tools that may well run
   * twice. `"fail"` tells the model that the outcome is not known.
   *
   * @default "ask"
   */
  readonly onReturn?: "ask" | "rerun" | "fail";
}

/** What an execution is told beside its arguments. It may ignore all of it. */
export interface ToolExecution {
  /** Fires when the person stops the answer. */
  readonly signal: AbortSignal;
  readonly toolCallId: string;
}

/** A tool of any arguments, as lists hold them. */
// biome-ignore lint/suspicious/noExplicitAny: a list holds tools of different arguments, and a parameter type cannot be widened to unknown.
export type AnyTool<Context = unknown> = ToolDefinition<Context, any>;

type ArgsOf<Parameters> = Parameters extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<Parameters>
  : Readonly<Record<string, unknown>>;

/**
 * Gives the types of a tool's arguments to its `execute`. It changes nothing at run time.
 *
 * @example
 * const tool = createToolHelper<{ cart: Cart }>();
 * const addToCart = tool({ name: "add_to_cart", parameters: z.object({ id: z.string() }), ... });
 */
export function createToolHelper<Context = unknown>(): <Parameters extends ToolParameters>(
  definition: Omit<ToolDefinition<Context, ArgsOf<Parameters>>, "parameters"> & {
    readonly parameters: Parameters;
  },
) => ToolDefinition<Context, ArgsOf<Parameters>> {
  return (definition) => definition;
}

/** A tool as the server is told of it. @throws When its schema cannot be told as JSON Schema. */
export function declareTool(tool: AnyTool<never>): ClientToolDeclaration {
  return {
    name: tool.name,
    description: tool.description,
    inputSchema: toJsonSchema(tool),
    ...(tool.needsApproval !== undefined && { needsApproval: tool.needsApproval }),
  };
}

function toJsonSchema({ name, parameters }: AnyTool<never>): JsonSchema {
  if (!isStandardSchema(parameters)) return parameters;
  const { jsonSchema } = parameters["~standard"] as {
    jsonSchema?: { input(options: { target: string }): JsonSchema };
  };
  if (jsonSchema) return jsonSchema.input({ target: "draft-07" });
  throw new TypeError(
    `The parameters of the tool ${name} do not give their JSON Schema. Use zod 4.2 or later, wrap the schema, or write JSON Schema.`,
  );
}

/** Arguments checked by the tool's own validator; JSON Schema was checked by the model's side. */
export async function checkArguments(tool: AnyTool<never>, input: unknown): Promise<unknown> {
  if (!isStandardSchema(tool.parameters)) return input;
  const result = await tool.parameters["~standard"].validate(input);
  if (!result.issues) return result.value;
  const said = result.issues.map(({ message }) => message).join("; ");
  throw new TypeError(`The arguments do not fit: ${said}`);
}

function isStandardSchema(parameters: ToolParameters): parameters is StandardSchemaV1 {
  return "~standard" in parameters;
}
