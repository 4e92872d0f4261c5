import type { JSONSchema7, LanguageModelV3FunctionTool } from "@ai-sdk/provider";
import type { ClientToolDeclaration } from "@valet/protocol";
import type { PreparedCall, ServerTool } from "./server-tool.ts";

/** The tools of one run: those of the server and those that the page declares. */
export interface Toolbox {
  /** As the model is told of them. */
  readonly definitions: LanguageModelV3FunctionTool[];
  /** Who runs a tool; `undefined` for a name that nobody knows. */
  sideOf(name: string): "server" | "page" | undefined;
  /** What a tool is called for people. */
  titleOf(name: string): string | undefined;
  /** Reads the arguments that the model wrote, and checks them for the server's own tools. */
  check(name: string, inputText: string): CheckedCall;
  /** Makes a call of one of the server's tools, or says what is wrong with it. */
  prepare(name: string, input: unknown): PreparedCall | { readonly errorText: string };
}

/** A call of the model after a look at its arguments. */
export type CheckedCall =
  | {
      readonly kind: "server";
      readonly input: unknown;
      readonly prepared: PreparedCall;
      readonly isEditable: boolean;
      readonly hasEffects: boolean;
    }
  | {
      readonly kind: "page";
      readonly input: unknown;
      readonly needsApproval: boolean;
      /** The page may change what it likes; the server's record knows nothing of it. */
      readonly isEditable: false;
    }
  | { readonly kind: "invalid"; readonly input: unknown; readonly errorText: string };

/** Creates the toolbox of a run. Names are unique across both sides. */
export function createToolbox(
  serverTools: readonly ServerTool[],
  pageTools: readonly ClientToolDeclaration[],
): Toolbox {
  const byName = new Map(serverTools.map((tool) => [tool.name, tool]));
  const pageByName = new Map(pageTools.map((tool) => [tool.name, tool]));
  return {
    definitions: [...serverTools, ...pageTools].map(({ name, description, inputSchema }) => ({
      type: "function",
      name,
      description,
      // Providers insist on the word; pages may leave it out of an empty schema.
      inputSchema: { ...inputSchema, type: "object" } as JSONSchema7,
    })),
    sideOf(name) {
      if (byName.has(name)) return "server";
      return pageByName.has(name) ? "page" : undefined;
    },
    titleOf: (name) => byName.get(name)?.title,
    check(name, inputText) {
      let input: unknown;
      try {
        // Some models send no arguments at all where there are none.
        input = inputText.trim() === "" ? {} : JSON.parse(inputText);
      } catch {
        const errorText = "The arguments are not valid JSON. Call the tool again with JSON.";
        return { kind: "invalid", input: inputText, errorText };
      }
      const tool = byName.get(name);
      if (tool) {
        const prepared = tool.prepare(input);
        const { isEditable, hasEffects } = tool;
        if ("run" in prepared) return { kind: "server", input, prepared, isEditable, hasEffects };
        return { kind: "invalid", input, errorText: prepared.errorText };
      }
      const pageTool = pageByName.get(name);
      if (pageTool) {
        const { needsApproval = false } = pageTool;
        return { kind: "page", input, needsApproval, isEditable: false };
      }
      return { kind: "invalid", input, errorText: "There is no tool of this name." };
    },
    prepare: (name, input) =>
      byName.get(name)?.prepare(input) ?? { errorText: "There is no tool of this name any more." },
  };
}
