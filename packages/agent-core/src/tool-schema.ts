import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ClientToolDeclaration } from "@valet/protocol";
import type { AnyTool, JsonSchema, ToolParameters, Zod3Schema } from "./tools.ts";

/**
 * A tool as the server is told of it.
 *
 * @throws TypeError when its schema cannot be told as JSON Schema.
 */
export async function declareTool(tool: AnyTool<never>): Promise<ClientToolDeclaration> {
  const { name, description, needsApproval } = tool;
  return {
    name,
    description,
    inputSchema: await toJsonSchema(tool),
    // A rule is the page's own affair: the server would ask for an approval of every call.
    ...(typeof needsApproval === "boolean" && { needsApproval }),
  };
}

/**
 * Arguments that fit a tool's schema, as its validator gives them.
 *
 * @throws TypeError that says what does not fit, in words for the model.
 */
export async function checkArguments(
  { parameters }: AnyTool<never>,
  input: unknown,
): Promise<unknown> {
  if (isStandardSchema(parameters)) {
    const result = await parameters["~standard"].validate(input);
    if (!result.issues) return result.value;
    throw misfit(result.issues);
  }
  if (isZod3(parameters)) {
    const { success, data, error } = await parameters.safeParseAsync(input);
    if (success) return data;
    throw misfit(error?.issues ?? []);
  }
  // Loaded when the first call comes: most pages have schemas that check by themselves.
  const { findFaults } = await import("./json-schema.ts");
  const faults = findFaults(parameters, input);
  if (faults.length === 0) return input;
  throw misfit(
    faults.map(({ at, message }) => ({ message: `${at || "what was given"} ${message}` })),
  );
}

/** One for each schema: zod 3 is converted by walking through all of it. */
const converted = new WeakMap<object, JsonSchema>();

async function toJsonSchema({ name, parameters }: AnyTool<never>): Promise<JsonSchema> {
  const known = converted.get(parameters);
  if (known) return known;
  const schema = await convert(name, parameters);
  converted.set(parameters, schema);
  return schema;
}

async function convert(toolName: string, parameters: ToolParameters): Promise<JsonSchema> {
  if (isStandardSchema(parameters)) {
    const { jsonSchema } = parameters["~standard"] as {
      jsonSchema?: { input(options: { target: string }): JsonSchema };
    };
    if (jsonSchema) return jsonSchema.input({ target: "draft-07" });
  }
  if (isZod3(parameters)) {
    try {
      const { zodToJsonSchema } = await import("zod-to-json-schema");
      return zodToJsonSchema(parameters as never, { $refStrategy: "none" }) as JsonSchema;
    } catch (cause) {
      throw new TypeError(
        `The parameters of the tool ${toolName} are of zod 3. Install zod-to-json-schema, or use zod 4.2 or later.`,
        { cause },
      );
    }
  }
  if (!isStandardSchema(parameters)) return parameters as JsonSchema;
  throw new TypeError(
    `The parameters of the tool ${toolName} do not give their JSON Schema. Use zod 4.2 or later, wrap the schema, or write JSON Schema.`,
  );
}

function isStandardSchema(parameters: ToolParameters): parameters is StandardSchemaV1 {
  return "~standard" in parameters;
}

function isZod3(parameters: ToolParameters): parameters is Zod3Schema {
  const { _def } = parameters as { _def?: { typeName?: unknown } };
  return typeof _def?.typeName === "string" && "safeParseAsync" in parameters;
}

function misfit(issues: readonly StandardSchemaV1.Issue[]): TypeError {
  const said = issues.map(({ message, path = [] }) => {
    const at = path.map((step) => String(typeof step === "object" ? step.key : step)).join(".");
    return at === "" ? message : `${at}: ${message}`;
  });
  return new TypeError(`The arguments do not fit: ${said.join("; ")}`.slice(0, 2_000));
}
