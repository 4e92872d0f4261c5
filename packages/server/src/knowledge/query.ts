/** What FTS5 is asked for a question: several expressions, from strict to loose. */
export interface SearchQuery {
  /** The words that carry the question, each once, in lower case. */
  readonly terms: readonly string[];
  /** How many of them say what the question is about; 0 when all are small words. */
  readonly contentWords: number;
  /** Passages with every word; for short questions alone, where it ranks better. */
  readonly all: string | undefined;
  /** Passages with any of the words. */
  readonly any: string;
  /** Passages with words that begin so; for when nothing else matches. */
  readonly prefixes: string;
}

const maxTerms = 32;
const shortQuestion = 4;
const stopWords = new Set(
  (
    "a about after all also am an and any are as at be because been before being but by can could did do does " +
    "doing down during each for from further get had has have having he her here hers him his how i if in into is " +
    "it its itself just let make me more most my need no nor not of off on once one only or other our ours out over " +
    "own please same she should so some such tell than that the their theirs them then there these they this those " +
    "through to too under until up us use used using very want was we were what when where which while who whom why " +
    "will with without would you your yours"
  ).split(" "),
);

/**
 * Builds the expressions of a question. The question itself never reaches FTS5: its operators and
 * quotes would be read as syntax, and its small words would decide what matches.
 *
 * @returns `undefined` when the question has no word at all.
 * @see https://sqlite.org/fts5.html#full_text_query_syntax
 */
export function buildQuery(question: string): SearchQuery | undefined {
  const words = [...new Set(question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])];
  const meaningful = words.filter((word) => !stopWords.has(word));
  // "How to use it?" has nothing but small words: then they are all there is.
  const terms = (meaningful.length > 0 ? meaningful : words).slice(0, maxTerms);
  if (terms.length === 0) return undefined;
  const quoted = terms.map((term) => `"${term}"`);
  return {
    terms,
    contentWords: Math.min(meaningful.length, maxTerms),
    all: terms.length > 1 && terms.length <= shortQuestion ? quoted.join(" AND ") : undefined,
    any: quoted.join(" OR "),
    prefixes: terms
      .filter((term) => term.length > 2)
      .map((term) => `"${term.slice(0, Math.max(3, term.length - 2))}"*`)
      .join(" OR "),
  };
}
