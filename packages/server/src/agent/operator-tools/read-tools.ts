import { z } from "zod";
import { searchToolName } from "../search-tool.ts";
import type { ServerTool } from "../server-tool.ts";
import { createOperatorTool, type ServerToolOptions } from "./operator-tool.ts";

/** The tools of an operator cannot be used; `problems` has all of them, each naming its tool. */
export class ServerToolsError extends Error {
  override readonly name = "ServerToolsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The server's tools have ${problems.length === 1 ? "a problem" : "problems"}.`);
    this.problems = problems;
  }
}

const isFunction = (value: unknown) => typeof value === "function";

const declaration = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 _ -")
    .refine((name) => name !== searchToolName, "is the name of a tool that the server has"),
  title: z.string().min(1).max(128).optional(),
  description: z.string().min(1).max(8_192),
  inputSchema: z
    .record(z.string(), z.unknown())
    .refine(({ type }) => type === "object", 'must have `type: "object"`'),
  needsApproval: z
    .union([z.boolean(), z.custom(isFunction)], "must be a boolean or a function")
    .optional(),
  isEditable: z.boolean().optional(),
  timeoutMs: z.int().min(1).max(100_000).optional(),
  withoutIntegration: z.boolean().optional(),
  execute: z.custom(isFunction, "must be a function"),
});

/**
 * Checks what an operator declares, and makes the server's tools of it.
 *
 * @throws {@link ServerToolsError} with every problem at once.
 */
export function readTools(declared: readonly unknown[]): ServerTool[] {
  const problems: string[] = [];
  const names = new Set<string>();
  const tools = declared.flatMap((each, at): ServerTool[] => {
    const parsed = declaration.safeParse(each);
    if (!parsed.success) {
      for (const { path, message } of parsed.error.issues) {
        problems.push(`tools[${at}]${path.map((key) => `.${String(key)}`).join("")}: ${message}`);
      }
      return [];
    }
    const { name } = parsed.data;
    if (names.has(name)) problems.push(`tools[${at}].name: ${name} is there twice`);
    names.add(name);
    try {
      return [createOperatorTool(each as ServerToolOptions)];
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      problems.push(`tools[${at}].inputSchema: is no JSON Schema that can be used: ${why}`);
      return [];
    }
  });
  if (problems.length > 0) throw new ServerToolsError(problems);
  return tools;
}
