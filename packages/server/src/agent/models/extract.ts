/** A found passage, as the search tool tells models of it. */
export interface ExtractPassage {
  readonly number: number;
  readonly title: string;
  readonly heading_path: readonly string[];
  readonly quote: string;
  readonly confidence: number;
}

const maxPassages = 3;
/** Passages that hold much less of the question than the best one would only distract. */
const share = 0.8;

/** The answer of `valet-extractive-1`: what the documentation says, quoted, each with its source. */
export function composeExtract(passages: readonly ExtractPassage[]): string {
  const best = Math.max(0, ...passages.map(({ confidence }) => confidence));
  const chosen = passages
    .filter(({ confidence, quote }) => quote !== "" && confidence >= best * share)
    .slice(0, maxPassages);
  if (chosen.length === 0) {
    return "I found nothing in the documentation that answers this. Try other words, or ask about something more specific.";
  }
  const quotes = chosen.map(
    ({ number, title, heading_path: path, quote }) =>
      `**${escapeMarkdown(path.at(-1) ?? title)}** [${number}]\n\n${asQuotation(quote)}`,
  );
  const intro =
    chosen.length === 1
      ? "The documentation says:"
      : "These passages of the documentation fit your question:";
  return [intro, ...quotes].join("\n\n");
}

/** Text as a block quote; code stays a block of code. */
function asQuotation(quote: string): string {
  return quote
    .split(/(```[\s\S]*?```)/)
    .map((piece) =>
      piece.startsWith("```")
        ? piece
        : piece
            .trim()
            .split("\n")
            .map((line) => `> ${line}`)
            // Rows of a table and the like: two spaces keep a line a line of its own.
            .join("  \n"),
    )
    .filter((piece) => piece !== "> ")
    .join("\n\n");
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\*_[\]`<>]/g, "\\$&");
}
