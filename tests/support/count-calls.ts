import { createRequire, syncBuiltinESMExports } from "node:module";
import SQLite from "better-sqlite3";

/** How often something was done while it was looked at. */
export interface CallCount {
  readonly calls: number;
  /** Begins again at 0. */
  reset(): void;
  /** Puts the original back. */
  stop(): void;
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Counts the SQL statements that this process runs on embedded databases. A test that expects none
 * must first show that one is counted.
 *
 * @param of Counts only statements whose text fits.
 */
export function countStatements(of = /(?:)/): CallCount {
  const probe = new SQLite(":memory:");
  const statement = Object.getPrototypeOf(probe.prepare("select 1")) as Record<string, AnyFunction>;
  probe.close();
  return countMethods(statement, ["get", "all", "run", "iterate"], (found) =>
    of.test((found as { source: string }).source),
  );
}

/** Counts calls of functions of `node:crypto`, wherever in this process they are made. */
export function countCrypto(...names: readonly string[]): CallCount {
  const crypto = createRequire(import.meta.url)("node:crypto") as Record<string, AnyFunction>;
  const count = countMethods(crypto, names);
  syncBuiltinESMExports();
  return {
    get calls() {
      return count.calls;
    },
    reset: count.reset,
    stop() {
      count.stop();
      syncBuiltinESMExports();
    },
  };
}

function countMethods(
  holder: Record<string, AnyFunction>,
  names: readonly string[],
  counts: (self: unknown) => boolean = () => true,
): CallCount {
  let calls = 0;
  const originals = names.map((name) => [name, holder[name]] as const);
  for (const [name, original] of originals) {
    if (!original) throw new Error(`There is no ${name} to count.`);
    holder[name] = function count(...args) {
      if (counts(this)) calls += 1;
      return original.apply(this, args);
    };
  }
  return {
    get calls() {
      return calls;
    },
    reset() {
      calls = 0;
    },
    stop() {
      for (const [name, original] of originals) if (original) holder[name] = original;
    },
  };
}
