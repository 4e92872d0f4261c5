/** Looks at many tokens at once. */
export interface TokenStatistics {
  add(token: string): void;
  /** How many tokens were seen before. */
  duplicates(): number;
  /**
   * Positions of the random part and the checksum (8 to 63) at which characters are not spread
   * evenly: chi-square of 61 degrees of freedom above what chance gives once in 10^7 positions.
   */
  unlikelyPositions(): { position: number; chiSquare: number }[];
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const digits = new Map([...alphabet].map((character, at) => [character, at]));
const firstRandom = 8;
const length = 64;
/** Wilson and Hilferty's approximation at z = 5.2 for 61 degrees of freedom. */
const bound = 61 * (1 - 2 / (9 * 61) + 5.2 * Math.sqrt(2 / (9 * 61))) ** 3;

/** Creates empty statistics. */
export function createTokenStatistics(): TokenStatistics {
  const seen = new Set<string>();
  const counts = Array.from({ length }, () => new Uint32Array(alphabet.length));
  let added = 0;
  return {
    add(token) {
      added += 1;
      seen.add(token);
      for (let position = firstRandom; position < length; position += 1) {
        const digit = digits.get(token.charAt(position)) ?? Number.NaN;
        const here = counts[position];
        if (here) here[digit] = (here[digit] ?? 0) + 1;
      }
    },
    duplicates: () => added - seen.size,
    unlikelyPositions() {
      const expected = added / alphabet.length;
      return counts.flatMap((here, position) => {
        if (position < firstRandom) return [];
        let chiSquare = 0;
        for (const count of here) chiSquare += (count - expected) ** 2 / expected;
        return chiSquare > bound ? [{ position, chiSquare }] : [];
      });
    },
  };
}
