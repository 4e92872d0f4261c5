import type { ServerToolCallContext, ServerToolOptions } from "../operator-tools/operator-tool.ts";

/** What a tool was run with. */
export interface ToolRun {
  readonly input: unknown;
  readonly context: ServerToolCallContext;
}

/** A tool of an operator that makes tickets, after approval, and notes what it was run with. */
export function createTicketTool(
  more: Partial<ServerToolOptions<{ readonly title: string }>> = {},
): {
  readonly tool: ServerToolOptions;
  readonly runs: readonly ToolRun[];
} {
  const runs: ToolRun[] = [];
  return {
    runs,
    tool: {
      name: "create_ticket",
      title: "Create a ticket",
      description: "Creates a ticket.",
      inputSchema: {
        type: "object",
        properties: { title: { type: "string", minLength: 1, maxLength: 40 } },
        required: ["title"],
        additionalProperties: false,
      },
      needsApproval: true,
      withoutIntegration: true,
      execute(input, context) {
        runs.push({ input, context });
        return { ticket: runs.length };
      },
      ...more,
    } as ServerToolOptions,
  };
}
