import type { StandardSchemaV1 } from "@standard-schema/spec";

/** JSON Schema of an object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A schema of zod 3 from before it spoke Standard Schema, by the part of it that is used. */
export interface Zod3Schema {
  readonly _def: object;
  readonly _output: unknown;
  safeParseAsync(data: unknown): Promise<{
    readonly success: boolean;
    readonly data?: unknown;
    readonly error?: { readonly issues: readonly StandardSchemaV1.Issue[] };
  }>;
}

/**
 * What may describe a tool's arguments: JSON Schema, or any validator that speaks Standard Schema
 * and gives its JSON Schema (zod from 4.2, arktype; valibot through its converter), or zod 3, for
 * which `zod-to-json-schema` must be installed beside it.
 */
export type ToolParameters = JsonSchema | StandardSchemaV1 | Zod3Schema;

/** Whether the person is asked first. As a method it may be narrower in its parameters. */
type ApprovalRule<Context, Args> = {
  decide(args: Args, context: Context): boolean | PromiseLike<boolean>;
}["decide"];

/** A tool that runs in the page. */
// biome-ignore lint/suspicious/noExplicitAny: without a helper nobody says what the arguments are, and a list holds tools of different ones.
export interface ToolDefinition<Context = unknown, Args = any> {
  /** 1 to 64 of `A-Z a-z 0-9 _ -`. The model calls it by this name. */
  readonly name: string;
  /** Tells the model what it does and when to use it. */
  readonly description: string;
  readonly parameters: ToolParameters;
  /**
   * Does the work. What it returns goes to the model as data, at most 64 KiB of JSON; what it
   * throws, as an error.
   */
  execute(args: Args, context: Context, options?: ToolExecution): Promise<unknown> | unknown;
  /** What people read instead of the name. */
  readonly displayName?: string;
  /**
   * Whether the person is asked first: always, never, or as a rule says of the checked arguments. A
   * rule that throws, or that does not answer in time, says yes. @default false
   */
  readonly needsApproval?: boolean | ApprovalRule<Context, Args>;
  /**
   * What becomes of a call that a page left behind: it was reloaded or closed, and nobody knows
   * whether the tool had begun. `"ask"` asks the person, whether or not the tool asks otherwise.
   * `"rerun"` runs it again, after approval where the tool asks for it: for tools that may well run
   * twice. `"fail"` tells the model that the outcome is not known.
   *
   * @default "ask"
   */
  readonly onReturn?: "ask" | "rerun" | "fail";
  /** How long it may run, in milliseconds; `Infinity` for no limit. @default 60_000 */
  readonly timeoutMs?: number;
}

/** What an execution is told beside its arguments. It may ignore all of it. */
export interface ToolExecution {
  /** Fires when the person stops the answer, and when the tool's time is up. */
  readonly signal: AbortSignal;
  readonly toolCallId: string;
}

/** A tool of any arguments, as lists hold them. */
export type AnyTool<Context = unknown> = ToolDefinition<Context>;

/** What a tool is called with, by what describes it. */
export type ToolArguments<Parameters> = Parameters extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<Parameters>
  : Parameters extends Zod3Schema
    ? Parameters["_output"]
    : Parameters extends { readonly properties: object }
      ? FromProperties<Parameters, Parameters["properties"]>
      : JsonSchema;

/** What a JSON Schema allows, where it is written out in the code; `unknown` where it is not. */
type FromJsonSchema<Schema> = Schema extends { readonly const: infer Value }
  ? Value
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : Schema extends { readonly type: infer Type }
      ? string extends Type
        ? unknown
        : FromType<Schema, Type extends readonly (infer One)[] ? One : Type>
      : unknown;

/** One type, or each of several. */
type FromType<Schema, Type> = Type extends "string"
  ? string
  : Type extends "number" | "integer"
    ? number
    : Type extends "boolean"
      ? boolean
      : Type extends "null"
        ? null
        : Type extends "array"
          ? readonly (Schema extends { readonly items: infer Item }
              ? FromJsonSchema<Item>
              : unknown)[]
          : Type extends "object"
            ? Schema extends { readonly properties: infer Properties }
              ? FromProperties<Schema, Properties>
              : JsonSchema
            : unknown;

type FromProperties<Schema, Properties> = {
  readonly [Name in keyof Properties as Name extends RequiredOf<Schema>
    ? Name
    : never]: FromJsonSchema<Properties[Name]>;
} & {
  readonly [Name in keyof Properties as Name extends RequiredOf<Schema>
    ? never
    : Name]?: FromJsonSchema<Properties[Name]>;
};

/** A list that was not written out says nothing of a single name. */
type RequiredOf<Schema> = Schema extends { readonly required: readonly (infer Name)[] }
  ? string extends Name
    ? never
    : Name
  : never;

/**
 * Gives the types of a tool's arguments to its `execute` and `needsApproval`. It changes nothing at
 * run time.
 *
 * @example
 * const tool = createToolHelper<{ cart: Cart }>();
 * const addToCart = tool({ name: "add_to_cart", parameters: z.object({ id: z.string() }), ... });
 */
export function createToolHelper<Context = unknown>(): <const Parameters extends ToolParameters>(
  definition: Omit<ToolDefinition<Context, ToolArguments<Parameters>>, "parameters"> & {
    readonly parameters: Parameters;
  },
) => ToolDefinition<Context, ToolArguments<Parameters>> {
  return (definition) => definition;
}
