import type { JSONSchema7 } from "@ai-sdk/provider";
import type { Source } from "@valet/protocol";
import { z } from "zod";
import type { SourceNumbers } from "./source-numbers.ts";

/** A tool that runs on the server. */
export interface ServerTool {
  readonly name: string;
  /** For people, while it runs. */
  readonly title: string;
  /** For the model. */
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly inputSchema: JSONSchema7;
  /** Whether a person who approves a call may change its arguments. */
  readonly isEditable: boolean;
  /** Whether a call may change something: then it is on record before it runs, and runs once. */
  readonly hasEffects: boolean;
  /** Whether sessions get it that were made without an integration. */
  readonly withoutIntegration: boolean;
  /** Checks arguments and gives the call that they make, or says what is wrong with them. */
  prepare(input: unknown): PreparedCall | { readonly errorText: string };
}

/** A call whose arguments are checked. */
export interface PreparedCall {
  /** Whether a person is asked first. Never throws: what cannot be decided is asked. */
  needsApproval(): Promise<boolean>;
  /** @throws {@link ToolFailure} with words for the model; anything else stays on the server. */
  run(context: ServerToolContext): Promise<ServerToolResult>;
}

/** What all calls of a run may use. */
export interface RunToolContext {
  readonly projectId: string;
  /** The stored thread. */
  readonly threadId: string;
  /** Whom the session was made for. */
  readonly owner: string | null;
  /** Numbers what a call finds, for citations. */
  readonly sources: SourceNumbers;
  readonly signal: AbortSignal;
}

/** What a call may use. */
export interface ServerToolContext extends RunToolContext {
  readonly toolCallId: string;
}

/** A tool that fails in words that the page and the model may read. */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";
}

/** What a call gives. */
export interface ServerToolResult {
  /** For the page. */
  readonly value: unknown;
  /** For the model in place of `value`. JSON. */
  readonly forModel?: unknown;
  readonly sources: readonly Source[];
}

/** A {@link ServerTool} before its arguments are checked for it. */
export interface ServerToolDefinition<Schema extends z.ZodType> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: Schema;
  execute(input: z.output<Schema>, context: ServerToolContext): Promise<ServerToolResult>;
}

/** Creates a tool that only looks things up; its arguments are checked against a zod schema. */
export function createServerTool<Schema extends z.ZodType>({
  name,
  title,
  description,
  inputSchema,
  execute,
}: ServerToolDefinition<Schema>): ServerTool {
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(inputSchema, { target: "draft-7" });
  return {
    name,
    title,
    description,
    inputSchema: jsonSchema as JSONSchema7,
    isEditable: false,
    hasEffects: false,
    withoutIntegration: true,
    prepare(input) {
      const result = inputSchema.safeParse(input);
      if (result.success) {
        const run = (context: ServerToolContext) => execute(result.data, context);
        return { run, needsApproval: async () => false };
      }
      const issues = result.error.issues.map(({ path, message }) =>
        path.length > 0 ? `${path.join(".")}: ${message}` : message,
      );
      return { errorText: `The arguments do not fit. ${issues.join("; ")}` };
    },
  };
}
