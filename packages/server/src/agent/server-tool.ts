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
  /** Checks arguments and gives the call that they make, or says what is wrong with them. */
  prepare(input: unknown): PreparedCall | { readonly errorText: string };
}

/** A call whose arguments are checked. */
export type PreparedCall = {
  readonly run: (context: ServerToolContext) => Promise<ServerToolResult>;
};

/** What a call may use. */
export interface ServerToolContext {
  readonly projectId: string;
  /** Numbers what the call finds, for citations. */
  readonly sources: SourceNumbers;
  readonly signal: AbortSignal;
}

/** What a call gives. */
interface ServerToolResult {
  /** For the page. */
  readonly value: unknown;
  /** For the model. JSON. */
  readonly forModel: unknown;
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

/** Creates a tool whose arguments are checked against a zod schema. */
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
    prepare(input) {
      const result = inputSchema.safeParse(input);
      if (result.success) return { run: (context) => execute(result.data, context) };
      const issues = result.error.issues.map(({ path, message }) =>
        path.length > 0 ? `${path.join(".")}: ${message}` : message,
      );
      return { errorText: `The arguments do not fit. ${issues.join("; ")}` };
    },
  };
}
