/** The part of a passage that answers best, verbatim. */
export interface Quote {
  readonly text: string;
  /** How much of the question's weight it holds, from 0 to 1. */
  readonly coverage: number;
}

/** How rare each word of a question is: the rarer, the more it tells. By word. */
export type Weights = ReadonlyMap<string, number>;

const maxSentences = 4;
const maxQuoteChars = 700;
const maxCodeChars = 1_200;
const shortQuoteChars = 280;
const maxOpeningChars = 450;

/**
 * Chooses the run of up to four sentences of one passage that holds most of the question. A block
 * of code counts as one sentence and is never cut; it comes along when the sentence before it
 * introduces it.
 */
export function chooseQuote(text: string, weights: Weights): Quote {
  const units = splitIntoUnits(text);
  const total = sum([...weights.values()]);
  let best: { from: number; to: number; score: number; coverage: number } | undefined;
  for (let from = 0; from < units.length; from += 1) {
    const seen = new Set<string>();
    let length = 0;
    for (let to = from; to < Math.min(units.length, from + maxSentences); to += 1) {
      const unit = units[to];
      if (!unit) break;
      length += unit.text.length;
      const limit = unit.isCode ? maxCodeChars : maxQuoteChars;
      if (to > from && length > limit) break;
      for (const term of weights.keys()) if (unit.stems.has(stem(term))) seen.add(term);
      const coverage =
        total === 0 ? 0 : sum([...seen].map((term) => weights.get(term) ?? 0)) / total;
      // Of runs that hold the same, the shorter one and the earlier one.
      const score = coverage - (to - from) * 0.02 - from * 0.001;
      if (!best || score > best.score) best = { from, to, score, coverage };
    }
  }
  if (!best) return { text: "", coverage: 0 };
  const to = withContext(units, best.from, best.to);
  return { text: joinUnits(units.slice(best.from, to + 1)), coverage: best.coverage };
}

/**
 * How a passage begins: what its heading promises is usually said first. For passages whose heading
 * is the question.
 */
export function quoteOpening(text: string): string {
  const units = splitIntoUnits(text);
  let end = 0;
  while (end + 1 < units.length && end + 1 < maxSentences) {
    if (joinUnits(units.slice(0, end + 2)).length > maxOpeningChars) break;
    end += 1;
  }
  return joinUnits(units.slice(0, withContext(units, 0, end) + 1));
}

/**
 * The end of a quote with what belongs to it: the code that its last sentence introduces, or, after
 * a short one, the sentences that go on in the same block.
 */
function withContext(units: readonly Unit[], from: number, to: number): number {
  let end = to;
  for (let next = units[end + 1]; next; next = units[end + 1]) {
    const introduces = units[end]?.text.trimEnd().endsWith(":");
    const length = joinUnits(units.slice(from, end + 2)).length;
    const goesOn =
      next.separator !== "\n\n" && end + 1 - from < maxSentences && length <= shortQuoteChars;
    const belongs = introduces ? next.text.length <= maxCodeChars : goesOn;
    if (!belongs) break;
    end += 1;
    if (introduces) break;
  }
  return end;
}

/** The share of a question's weight that the words of some texts hold, from 0 to 1. */
export function coverageOf(texts: readonly string[], weights: Weights): number {
  const total = sum([...weights.values()]);
  if (total === 0) return 0;
  const stems = stemsOf(texts.join(" "));
  return sum([...weights].map(([term, weight]) => (stems.has(stem(term)) ? weight : 0))) / total;
}

/**
 * A word without its ending, roughly as the index has it. Only ever compared with other results of
 * this function, so that being rough does no harm.
 */
export function stem(word: string): string {
  return word
    .toLowerCase()
    .replace(/(?:ational|ation|ating|ate[ds]?|ment|ness)$/, "")
    .replace(/(?:ies|ied|ying)$/, "y")
    .replace(/(ss|sh|ch|x|z)es$/, "$1")
    .replace(/([^su])s$/, "$1")
    .replace(/(?:ingly|edly|ing|(?<!e)ed|ly)$/, "")
    .replace(/[ey]$/, "")
    .replace(/(.)\1$/, "$1");
}

interface Unit {
  readonly text: string;
  readonly isCode: boolean;
  /** What stands between it and the one before. */
  readonly separator: " " | "\n" | "\n\n";
  readonly stems: ReadonlySet<string>;
}

function splitIntoUnits(text: string): Unit[] {
  return splitIntoBlocks(text).flatMap((block): Unit[] => {
    const isCode = block.startsWith("```");
    const hasLines = !isCode && block.includes("\n");
    const sentences = isCode ? [block] : hasLines ? block.split("\n") : sentencesOf(block);
    return sentences.map((sentence, at) => ({
      text: sentence,
      isCode,
      separator: at === 0 ? "\n\n" : hasLines ? "\n" : " ",
      stems: stemsOf(sentence),
    }));
  });
}

/** Splits at blank lines, except inside code. */
function splitIntoBlocks(text: string): string[] {
  const blocks: string[] = [];
  let inCode = false;
  for (const piece of text.split("\n\n")) {
    if (inCode) blocks.push(`${blocks.pop()}\n\n${piece}`);
    else if (piece.trim() !== "") blocks.push(piece);
    const fences = piece.match(/^```/gm)?.length ?? 0;
    if (fences % 2 === 1) inCode = !inCode;
  }
  return blocks;
}

function sentencesOf(block: string): string[] {
  return block.split(/(?<=[.!?:])\s+(?=[\p{Lu}\p{N}`"'(])/u);
}

function joinUnits(units: readonly Unit[]): string {
  return units.map(({ text, separator }, at) => (at === 0 ? text : separator + text)).join("");
}

function stemsOf(text: string): Set<string> {
  return new Set((text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map(stem));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
