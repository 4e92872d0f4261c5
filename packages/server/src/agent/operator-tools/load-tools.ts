import { pathToFileURL } from "node:url";
import { ServerToolsError } from "./read-tools.ts";

/**
 * Loads an operator's module, which exports an array `tools`. It runs in the server's process, with
 * the server's rights.
 *
 * @param file Absolute.
 * @throws {@link ServerToolsError} when there is no such module, or it exports no such array.
 */
export async function loadTools(file: string): Promise<readonly unknown[]> {
  let module: { readonly tools?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { readonly tools?: unknown };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ServerToolsError([`${file} could not be loaded: ${why}`]);
  }
  if (Array.isArray(module.tools)) return module.tools as unknown[];
  throw new ServerToolsError([`${file} must export an array named \`tools\``]);
}
