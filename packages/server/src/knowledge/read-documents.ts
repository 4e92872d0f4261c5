import { createHash } from "node:crypto";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, extname, join, relative, sep } from "node:path";

/** Why a file was not taken. */
export type IngestFailureCode =
  | "path_missing"
  | "unsupported_type"
  | "file_empty"
  | "file_binary"
  | "file_too_large"
  | "file_unreadable";

/** A file that was not taken, for the operator to read. */
export interface IngestFailure {
  readonly path: string;
  readonly code: IngestFailureCode;
  readonly message: string;
}

/** A file that may be a document. */
export interface FoundFile {
  /** Below the source's path, with `/` between its parts. */
  readonly path: string;
  readonly absolute: string;
}

/** The largest file taken, in bytes. */
export const maxFileBytes: number = 10 * 1024 * 1024;

const extensions = new Set([".md", ".mdx", ".markdown"]);

/**
 * The Markdown files of a folder in order, or the one file that the path names. Hidden files and
 * `node_modules` are not looked at; links that lead out of the folder are not followed.
 *
 * @throws {@link IngestFailure} for a path that does not exist or is no Markdown.
 */
export async function findDocuments(path: string): Promise<{ root: string; files: FoundFile[] }> {
  const root = await realpath(path).catch(() => {
    throw failure(path, "path_missing", "There is no such file or folder.");
  });
  const entry = await stat(root);
  if (entry.isFile()) {
    if (!extensions.has(extname(root).toLowerCase())) {
      throw failure(path, "unsupported_type", "Only .md, .mdx and .markdown files are read.");
    }
    return { root, files: [{ path: basename(root), absolute: root }] };
  }
  const files: FoundFile[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const child of entries) {
      if (child.name.startsWith(".") || child.name === "node_modules") continue;
      const absolute = join(folder, child.name);
      if (child.isDirectory()) await walk(absolute);
      else if (child.isFile() && extensions.has(extname(child.name).toLowerCase())) {
        files.push({ path: relative(root, absolute).split(sep).join("/"), absolute });
      }
    }
  };
  await walk(root);
  return { root, files };
}

/**
 * The text of a file, and a hash of it.
 *
 * @throws {@link IngestFailure} for a file that is no text, or too large to be read.
 */
export async function readDocument(file: FoundFile): Promise<{ markdown: string; hash: string }> {
  const { size } = await stat(file.absolute);
  if (size > maxFileBytes) {
    const found = Math.ceil(size / 1024 / 1024);
    const message = `The file has ${found} MB; at most 10 MB are read.`;
    throw failure(file.path, "file_too_large", message);
  }
  const bytes = await readFile(file.absolute).catch(() => {
    throw failure(file.path, "file_unreadable", "The file cannot be read.");
  });
  if (bytes.includes(0)) throw failure(file.path, "file_binary", "The file is not text.");
  let markdown: string;
  try {
    markdown = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw failure(file.path, "file_binary", "The file is not UTF-8 text.");
  }
  if (markdown.trim() === "") throw failure(file.path, "file_empty", "The file is empty.");
  return { markdown, hash: createHash("sha256").update(bytes).digest("hex") };
}

/** Whether something thrown is an {@link IngestFailure}. */
export function isIngestFailure(thrown: unknown): thrown is IngestFailure {
  return typeof thrown === "object" && thrown !== null && "code" in thrown && "path" in thrown;
}

/** Why a document that could be read is not understood: it is too deep, or takes too long. */
export function notUnderstood(path: string): IngestFailure & Error {
  return failure(
    path,
    "file_unreadable",
    "The file is nested too deeply, or takes too long to read.",
  );
}

function failure(path: string, code: IngestFailureCode, message: string): IngestFailure & Error {
  return Object.assign(new Error(message), { path, code });
}
