import type { Source } from "@valet/protocol";
import type { ThreadSourceRow } from "../database/schema.ts";

/** The numbers that citations of one thread bear. A number, once given, means one URL for good. */
export interface SourceNumbers {
  /** The sources of these places, known or new, in order. Durable when it resolves. */
  number(places: readonly Omit<Source, "sourceId" | "number">[]): Promise<Source[]>;
  /** A source by its number. */
  get(number: number): Source | undefined;
}

/** What {@link createSourceNumbers} needs. */
export interface SourceNumbersOptions {
  readonly threadId: string;
  readonly known: readonly ThreadSourceRow[];
  readonly save: (rows: readonly ThreadSourceRow[]) => Promise<void>;
}

/** Opens the numbers of a thread. A thread has one run at a time, so nobody else gives numbers. */
export function createSourceNumbers({
  threadId,
  known,
  save,
}: SourceNumbersOptions): SourceNumbers {
  const byUrl = new Map(known.map((row) => [row.url, toSource(row)]));
  const byNumber = new Map([...byUrl.values()].map((source) => [source.number, source]));
  let last = Math.max(0, ...byNumber.keys());

  return {
    async number(places) {
      const added: ThreadSourceRow[] = [];
      const sources = places.map((place) => {
        const earlier = byUrl.get(place.url);
        // The passage of this search; the number of the first.
        if (earlier) return { ...place, sourceId: earlier.sourceId, number: earlier.number };
        last += 1;
        const source = { ...place, sourceId: `s${last}`, number: last };
        byUrl.set(source.url, source);
        byNumber.set(source.number, source);
        added.push(toRow(threadId, source));
        return source;
      });
      await save(added);
      return sources;
    },
    get: (number) => byNumber.get(number),
  };
}

/** A source out of its row. */
export function toSource(row: ThreadSourceRow): Source {
  return {
    sourceId: `s${row.number}`,
    number: row.number,
    url: row.url,
    title: row.title,
    headingPath: JSON.parse(row.heading_path) as string[],
    snippet: row.snippet,
  };
}

function toRow(threadId: string, source: Source): ThreadSourceRow {
  return {
    thread_id: threadId,
    number: source.number,
    url: source.url,
    title: source.title,
    heading_path: JSON.stringify(source.headingPath),
    snippet: source.snippet,
  };
}
