import type { DocumentRow, SourceRow } from "../database/schema.ts";

/** A section as it is kept. */
export interface StoredSection {
  readonly headingPath: readonly string[];
  readonly anchor: string;
  readonly text: string;
}

/** A source with what is in it. */
export type ListedSource = SourceRow & { readonly documents: number };

/** Where sources, documents and their sections are kept: the truth that the index is made from. */
export interface KnowledgeStore {
  sources(projectId: string): Promise<ListedSource[]>;
  source(projectId: string, path: string): Promise<SourceRow | undefined>;
  saveSource(row: SourceRow): Promise<void>;
  /** Removes a source with all its documents; gives their ids. */
  removeSource(projectId: string, sourceId: string): Promise<string[] | undefined>;
  documents(projectId: string, sourceId: string): Promise<Omit<DocumentRow, "markdown">[]>;
  document(projectId: string, id: string): Promise<DocumentRow | undefined>;
  sections(projectId: string, documentId: string): Promise<StoredSection[]>;
  /** Puts a document and its sections in the place of the former ones, all or nothing. */
  saveDocument(row: DocumentRow, sections: readonly StoredSection[]): Promise<void>;
  removeDocuments(projectId: string, ids: readonly string[]): Promise<void>;
  /** Every document of every project: what the index is compared with. */
  stamps(): Promise<Pick<DocumentRow, "id" | "project_id" | "content_hash">[]>;
}
