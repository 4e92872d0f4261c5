import { rmSync } from "node:fs";
import SQLite from "better-sqlite3";
import { buildQuery } from "./query.ts";
import { chooseQuote, coverageOf, quoteOpening, type Weights } from "./quote.ts";

/** A passage that fits a question. */
export interface Passage {
  readonly documentId: string;
  /** Title of its page. */
  readonly title: string;
  /** The headings from the page's top to the passage, the page's title first. */
  readonly headingPath: readonly string[];
  readonly anchor: string;
  /** Where it can be read: absolute, or `/sources/{id}`; with the anchor. */
  readonly url: string;
  /** The whole passage, as Markdown. */
  readonly text: string;
  /** The part of it that answers best, verbatim. */
  readonly quote: string;
  /** How much of the question it holds, from 0 to 1. Comparable between questions. */
  readonly confidence: number;
}

/** A document as the index takes it. */
export interface IndexedDocument {
  readonly id: string;
  readonly projectId: string;
  readonly title: string;
  /** Without an anchor. */
  readonly url: string;
  /** Changes whenever anything of the document does. */
  readonly stamp: string;
  readonly sections: readonly {
    readonly headingPath: readonly string[];
    readonly anchor: string;
    readonly text: string;
  }[];
}

/** A question to the index. */
export interface IndexSearch {
  readonly projectId: string;
  readonly query: string;
  /** The most passages given. */
  readonly limit: number;
}

/** The full-text index: a file that can be thrown away and made again. */
export interface SearchIndex {
  /** The documents in it: id to stamp. */
  stamps(): Record<string, string>;
  /** Adds a document, or puts it in the place of its former self. */
  put(document: IndexedDocument): void;
  remove(ids: readonly string[]): void;
  search(search: IndexSearch): Passage[];
  close(): void;
}

const formatVersion = 1;
const candidates = 40;
const maxPerPage = 3;
/** A heading with this much of the question is taken for the question itself. */
const headingShare = 0.6;
/**
 * Below this a passage holds too little of the question to be an answer to it. Measured on this
 * project's and on Fastify's documentation: see `calibration.test.ts`.
 */
const minConfidence = 0.5;

/**
 * Opens an index. One that is damaged or of another format is thrown away: whoever owns the
 * documents sees from {@link SearchIndex.stamps} what is missing.
 *
 * @param file Path, or `:memory:`.
 */
export function openSearchIndex(file: string): SearchIndex {
  const db = openFile(file);
  const insert = db.prepare(
    `insert into passage (title, heading, text, project_id, document_id, heading_path, anchor, url)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const link = db.prepare("insert into document_passage (document_id, rowid_) values (?, ?)");
  const note = db.prepare("insert or replace into document (id, stamp) values (?, ?)");
  const rowsOf = db.prepare("select rowid_ from document_passage where document_id = ?").pluck();
  const dropRow = db.prepare("delete from passage where rowid = ?");
  const dropLinks = db.prepare("delete from document_passage where document_id = ?");
  const dropDocument = db.prepare("delete from document where id = ?");
  const count = db.prepare("select count(*) from passage where project_id = ?").pluck();
  const frequency = db
    .prepare("select count(*) from passage where passage match ? and project_id = ?")
    .pluck();
  const find = db.prepare(
    `select title, text, document_id, heading_path, anchor, url from passage
     where passage match ? and project_id = ? order by bm25(passage, 1.5, 2.0, 1.0) limit ${candidates}`,
  );

  const removeAll = db.transaction((ids: readonly string[]) => {
    for (const id of ids) {
      for (const rowid of rowsOf.all(id)) dropRow.run(rowid);
      dropLinks.run(id);
      dropDocument.run(id);
    }
  });

  const put = db.transaction((document: IndexedDocument) => {
    removeAll([document.id]);
    for (const { headingPath, anchor, text } of document.sections) {
      const { lastInsertRowid } = insert.run(
        document.title,
        headingPath.slice(1).join(" "),
        text,
        document.projectId,
        document.id,
        JSON.stringify(headingPath),
        anchor,
        anchor === "" ? document.url : `${document.url}#${anchor}`,
      );
      link.run(document.id, lastInsertRowid);
    }
    note.run(document.id, document.stamp);
  });

  function weigh(terms: readonly string[], projectId: string): Weights {
    const total = count.get(projectId) as number;
    return new Map(
      terms.map((term) => {
        const found = frequency.get(`"${term}"`, projectId) as number;
        return [term, Math.log(1 + (total - found + 0.5) / (found + 0.5))];
      }),
    );
  }

  function rows(expressions: readonly (string | undefined)[], projectId: string): Row[] {
    const found = new Map<string, Row>();
    for (const expression of expressions) {
      if (expression === undefined || expression === "") continue;
      for (const row of find.all(expression, projectId) as Row[]) {
        const key = `${row.document_id} ${row.anchor} ${row.text.length}`;
        if (!found.has(key)) found.set(key, row);
      }
    }
    return [...found.values()];
  }

  return {
    stamps: () =>
      Object.fromEntries(
        (db.prepare("select id, stamp from document").all() as { id: string; stamp: string }[]).map(
          ({ id, stamp }) => [id, stamp],
        ),
      ),
    put: (document) => void put(document),
    remove: (ids) => void removeAll(ids),
    search({ projectId, query, limit }) {
      const built = buildQuery(query);
      if (!built) return [];
      let found = rows([built.all, built.any], projectId);
      if (found.length === 0) found = rows([built.prefixes], projectId);
      const weights = weigh(built.terms, projectId);
      const perPage = new Map<string, number>();
      return found
        .map((row) => toPassage(row, weights))
        .filter(({ confidence }) => confidence >= minConfidence)
        .filter(({ documentId }) => {
          const earlier = perPage.get(documentId) ?? 0;
          perPage.set(documentId, earlier + 1);
          return earlier < maxPerPage;
        })
        .slice(0, limit);
    },
    close: () => void db.close(),
  };
}

interface Row {
  readonly title: string;
  readonly text: string;
  readonly document_id: string;
  readonly heading_path: string;
  readonly anchor: string;
  readonly url: string;
}

function toPassage(row: Row, weights: Weights): Passage {
  const headingPath = JSON.parse(row.heading_path) as string[];
  const quote = chooseQuote(row.text, weights);
  const isHeadingTheQuestion = coverageOf(headingPath.slice(-1), weights) >= headingShare;
  // The quote alone must carry weight: words spread over a long page are no answer.
  const whole = coverageOf([row.title, ...headingPath, row.text], weights);
  const near = coverageOf([...headingPath, quote.text], weights);
  return {
    documentId: row.document_id,
    title: row.title,
    headingPath,
    anchor: row.anchor,
    url: row.url,
    text: row.text,
    quote: isHeadingTheQuestion ? quoteOpening(row.text) : quote.text,
    confidence: Math.round((0.4 * whole + 0.6 * near) * 1000) / 1000,
  };
}

function openFile(file: string): SQLite.Database {
  try {
    const db = new SQLite(file);
    if (db.pragma("user_version", { simple: true }) === formatVersion) {
      db.pragma("journal_mode = WAL");
      // Throws for a file whose pages are damaged.
      db.prepare("select count(*) from document").get();
      return db;
    }
    db.close();
  } catch {
    // Whatever it is, it is not our index: it is made again below.
  }
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
  const db = new SQLite(file);
  db.pragma("journal_mode = WAL");
  // Losing the tail of a derived file costs a few documents of work, not data.
  db.pragma("synchronous = NORMAL");
  db.exec(
    `create virtual table passage using fts5(
       title, heading, text, project_id unindexed, document_id unindexed, heading_path unindexed,
       anchor unindexed, url unindexed, tokenize = 'porter unicode61'
     );
     create table document (id text primary key, stamp text not null) without rowid;
     create table document_passage (document_id text not null, rowid_ integer not null);
     create index document_passage_document on document_passage (document_id);
     pragma user_version = ${formatVersion};`,
  );
  return db;
}
