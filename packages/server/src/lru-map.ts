/** A map that forgets what was not used for long, once it is full. */
export interface LruMap<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

/**
 * Creates a map of at most `maxEntries`, two at least. The half that was used last is always there.
 *
 * It keeps two generations, and drops the elder when the younger one is full: a use of a young
 * entry changes nothing, where putting it to the end of one list would cost more than the look-up.
 */
export function createLruMap<Value>(maxEntries: number): LruMap<Value> {
  const generation = Math.max(1, Math.floor(maxEntries / 2));
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();

  function set(key: string, value: Value): void {
    if (young.size >= generation && !young.has(key)) {
      old = young;
      young = new Map();
    }
    old.delete(key);
    young.set(key, value);
  }

  return {
    get(key) {
      const found = young.get(key);
      if (found !== undefined) return found;
      const value = old.get(key);
      if (value !== undefined) set(key, value);
      return value;
    },
    set,
  };
}
