import { readFile } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";

/** A file of the built page. */
export interface PageFile {
  readonly bytes: Buffer;
  readonly contentType: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Reads a file of the page by the path of its address; undefined for what is not one. */
export async function readPageFile(folder: string, path: string): Promise<PageFile | undefined> {
  const file = normalize(join(folder, path === "/" ? "index.html" : decode(path)));
  if (!file.startsWith(`${normalize(folder)}${sep}`)) return undefined;
  const contentType = contentTypes[extname(file)];
  if (contentType === undefined) return undefined;
  const bytes = await readFile(file).catch(() => undefined);
  return bytes && { bytes, contentType };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
