import { basename, extname } from "node:path";
import { type RandomBytes, randomBase62 } from "../base62.ts";
import type { DocumentRow, SourceRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { KnowledgeStore, StoredSection } from "./knowledge-store.ts";
import {
  type FoundFile,
  findDocuments,
  type IngestFailure,
  isIngestFailure,
  notUnderstood,
  readDocument,
} from "./read-documents.ts";
import type { IndexSearch, Passage } from "./search-index.ts";
import { SearchTaskError, type SearchThread } from "./search-thread.ts";

/** How far an ingestion is. */
export interface IngestProgress {
  readonly done: number;
  readonly total: number;
  readonly path: string;
}

/** What an ingestion did. */
export interface IngestResult {
  /** `null` when nothing could be read at all. */
  readonly sourceId: string | null;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly removed: number;
  /** Passages of the documents added and changed. */
  readonly chunks: number;
  readonly failures: readonly IngestFailure[];
}

/** A source in a list. */
export interface SourceSummary {
  readonly id: string;
  readonly path: string;
  readonly base_url: string | null;
  readonly documents: number;
}

/** A document as it is shown. */
export interface SourceDocument {
  readonly row: DocumentRow;
  /** Documents of the same source by path, for the links between them. */
  readonly siblings: ReadonlyMap<string, string>;
}

/** What the agent answers from. */
export interface Knowledge {
  /**
   * Reads a folder or a file into a project's knowledge base. Reading it again makes the knowledge
   * base what the folder is now: what did not change is skipped, what is gone is removed. Files
   * that cannot be read are told, and do not keep the others out.
   */
  ingest(
    options: { readonly projectId: string; readonly path: string; readonly baseUrl?: string },
    onProgress?: (progress: IngestProgress) => void,
  ): Promise<IngestResult>;
  /** @throws {@link ProblemError} `not_found`. */
  removeSource(projectId: string, sourceId: string): Promise<void>;
  listSources(projectId: string): Promise<SourceSummary[]>;
  /** The passages that fit a question, best first; none when nothing fits. */
  search(search: IndexSearch): Promise<Passage[]>;
  /** A document of a project. */
  document(projectId: string, id: string): Promise<SourceDocument | undefined>;
  close(): Promise<void>;
}

/** What {@link createKnowledge} needs. */
export interface KnowledgeOptions {
  readonly store: KnowledgeStore;
  readonly thread: SearchThread;
  readonly now?: () => number;
  readonly random?: RandomBytes;
  /** Told when the index could not be brought up to date. */
  readonly onError?: (error: unknown) => void;
}

/** Opens the knowledge base. The index is brought up to date behind the first search. */
export function createKnowledge({
  store,
  thread,
  now = Date.now,
  random,
  onError = () => undefined,
}: KnowledgeOptions): Knowledge {
  let ready: Promise<void> | undefined;
  // One ingestion at a time: two of the same folder would add its documents twice.
  let ingesting: Promise<unknown> = Promise.resolve();

  /** Puts into the index what the truth has and it has not, and takes out what the truth lost. */
  async function bringUpToDate(): Promise<void> {
    const indexed = await thread.run("stamps");
    const truth = await store.stamps();
    const known = new Set(truth.map(({ id }) => id));
    await thread.run(
      "remove",
      Object.keys(indexed).filter((id) => !known.has(id)),
    );
    for (const { id, project_id: projectId, content_hash: stamp } of truth) {
      if (indexed[id] === stamp) continue;
      const row = await store.document(projectId, id);
      if (row) await index(row, await store.sections(projectId, id));
    }
  }

  function whenReady(): Promise<void> {
    ready ??= bringUpToDate().catch((error) => {
      ready = undefined;
      onError(error);
      throw error;
    });
    return ready;
  }

  async function index(row: DocumentRow, sections: readonly StoredSection[]): Promise<void> {
    await thread.run("put", {
      id: row.id,
      projectId: row.project_id,
      title: row.title,
      url: row.url ?? `/sources/${row.id}`,
      stamp: row.content_hash,
      sections,
    });
  }

  async function ingest(
    { projectId, path, baseUrl }: Parameters<Knowledge["ingest"]>[0],
    onProgress: (progress: IngestProgress) => void,
  ): Promise<IngestResult> {
    await whenReady();
    const { root, files } = await findDocuments(path);
    const source = await saveSource(projectId, root, baseUrl);
    const before = new Map(
      (await store.documents(projectId, source.id)).map((document) => [document.path, document]),
    );
    const counts = { added: 0, changed: 0, unchanged: 0, chunks: 0 };
    const failures: IngestFailure[] = [];
    for (const [at, file] of files.entries()) {
      onProgress({ done: at, total: files.length, path: file.path });
      const known = before.get(file.path);
      try {
        const saved = await ingestFile(source, file, known);
        counts[saved.outcome] += 1;
        counts.chunks += saved.chunks;
      } catch (error) {
        if (!isIngestFailure(error)) throw error;
        failures.push({ path: error.path, code: error.code, message: error.message });
      }
      // A file that became unreadable keeps its last good text until it is gone.
      before.delete(file.path);
    }
    const gone = [...before.values()].map(({ id }) => id);
    await store.removeDocuments(projectId, gone);
    await thread.run("remove", gone);
    return { sourceId: source.id, ...counts, removed: gone.length, failures };
  }

  async function ingestFile(
    source: SourceRow,
    file: FoundFile,
    known: { readonly id: string; readonly content_hash: string } | undefined,
  ): Promise<{ outcome: "added" | "changed" | "unchanged"; chunks: number }> {
    const { markdown, hash } = await readDocument(file);
    const url = publicUrl(source.base_url, file.path);
    const contentHash = `${hash}:${url ?? ""}`;
    if (known?.content_hash === contentHash) return { outcome: "unchanged", chunks: 0 };
    const fallback = basename(file.path, extname(file.path));
    const { title, sections } = await thread.run("parse", markdown, fallback).catch((error) => {
      throw error instanceof SearchTaskError ? notUnderstood(file.path) : error;
    });
    const row: DocumentRow = {
      id: known?.id ?? `doc_${randomBase62(16, random)}`,
      source_id: source.id,
      project_id: source.project_id,
      path: file.path,
      title,
      url,
      content_hash: contentHash,
      markdown,
      updated_at_ms: now(),
    };
    await store.saveDocument(row, sections);
    await index(row, sections);
    return { outcome: known ? "changed" : "added", chunks: sections.length };
  }

  async function saveSource(
    projectId: string,
    path: string,
    baseUrl: string | undefined,
  ): Promise<SourceRow> {
    const known = await store.source(projectId, path);
    const row: SourceRow = {
      id: known?.id ?? `src_${randomBase62(16, random)}`,
      project_id: projectId,
      path,
      base_url: baseUrl ?? null,
      created_at_ms: known?.created_at_ms ?? now(),
      updated_at_ms: now(),
    };
    await store.saveSource(row);
    return row;
  }

  return {
    async ingest(options, onProgress = () => undefined) {
      const mine = ingesting.then(() => ingest(options, onProgress));
      ingesting = mine.catch(() => undefined);
      try {
        return await mine;
      } catch (error) {
        if (!isIngestFailure(error)) throw error;
        const { path, code, message } = error;
        const nothing = { added: 0, changed: 0, unchanged: 0, removed: 0, chunks: 0 };
        return { sourceId: null, ...nothing, failures: [{ path, code, message }] };
      }
    },
    async removeSource(projectId, sourceId) {
      const ids = await store.removeSource(projectId, sourceId);
      if (!ids) throw new ProblemError("not_found");
      await thread.run("remove", ids);
    },
    async listSources(projectId) {
      const rows = await store.sources(projectId);
      return rows.map(({ id, path, base_url, documents }) => ({ id, path, base_url, documents }));
    },
    async search(search) {
      await whenReady();
      return thread.run("search", search);
    },
    async document(projectId, id) {
      const row = await store.document(projectId, id);
      if (!row) return undefined;
      const documents = await store.documents(projectId, row.source_id);
      return { row, siblings: new Map(documents.map((other) => [other.path, other.id])) };
    },
    close: () => thread.close(),
  };
}

/** Where a file stands below its source's public address: without extension, index pages as folders. */
function publicUrl(baseUrl: string | null, path: string): string | null {
  if (baseUrl === null) return null;
  const page = path
    .replace(/\.(?:mdx?|markdown)$/i, "")
    .replace(/(^|\/)(?:index|readme)$/i, "$1")
    .split("/")
    .map(encodeURIComponent)
    .join("/");
  return `${baseUrl.replace(/\/?$/, "/")}${page}`;
}
