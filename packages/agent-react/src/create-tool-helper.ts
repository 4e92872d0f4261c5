import type { ToolArguments, ToolDefinition, ToolParameters } from "@valet/agent-core";
import type { ToolLook } from "./agent-context.ts";

/** A tool of known arguments, and how its calls are shown. */
type ShownTool<Context, Args> = ToolDefinition<Context, Args> & ToolLook<Args>;

/**
 * Gives the types of a tool's arguments to its `execute`, its `needsApproval` and its `render`. It
 * changes nothing at run time.
 *
 * @example
 * const tool = createToolHelper<{ cart: Cart }>();
 * const addToCart = tool({ name: "add_to_cart", parameters: z.object({ id: z.string() }), ... });
 */
export function createToolHelper<Context = unknown>(): <const Parameters extends ToolParameters>(
  definition: Omit<ShownTool<Context, ToolArguments<Parameters>>, "parameters"> & {
    readonly parameters: Parameters;
  },
) => ShownTool<Context, ToolArguments<Parameters>> {
  return (definition) => definition;
}
