/** How many of something are going on at the same time, by name. */
export interface OpenCounts {
  /**
   * Counts one for each name, or, when one of them is full, for none.
   *
   * @returns Call it once when it has ended; or the name that is full.
   */
  enter(bounds: readonly { readonly name: string; readonly max: number }[]): (() => void) | string;
}

/** Creates counts that all begin at none. */
export function createOpenCounts(): OpenCounts & { readonly size: number } {
  const counts = new Map<string, number>();
  return {
    get size() {
      return counts.size;
    },
    enter(bounds) {
      const full = bounds.find(({ name, max }) => (counts.get(name) ?? 0) >= max);
      if (full) return full.name;
      for (const { name } of bounds) counts.set(name, (counts.get(name) ?? 0) + 1);
      return () => {
        for (const { name } of bounds) {
          const left = (counts.get(name) ?? 0) - 1;
          if (left > 0) counts.set(name, left);
          else counts.delete(name);
        }
      };
    },
  };
}
