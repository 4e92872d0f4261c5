/**
 * The numbers that a Markdown text cites as `[n]` or `[n, m]`, each once, in order of appearance.
 * Code is no citation, nor is the text of a link.
 *
 * @param isKnown Whether a number belongs to a source; others are no citations.
 */
export function findCitations(text: string, isKnown: (number: number) => boolean): number[] {
  const prose = text.replace(/```[\s\S]*?(?:```|$)/g, " ").replace(/`[^`\n]*`/g, " ");
  const cited = new Set<number>();
  for (const [, group] of prose.matchAll(/\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\](?!\()/g)) {
    for (const digits of group?.split(",") ?? []) {
      const number = Number(digits);
      if (isKnown(number)) cited.add(number);
    }
  }
  return [...cited];
}
