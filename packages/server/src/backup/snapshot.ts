/** A table as a snapshot has it. */
export interface SnapshotTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** The last number that its sequence has given; null where it has none. */
  readonly sequence: number | null;
}

/** A whole database as it was in one instant, read while others write to it. */
export interface Snapshot {
  readonly kind: "sqlite" | "postgres";
  /** Migrations it has seen, in their order. */
  readonly migrations: readonly string[];
  /** Every table of ours and of the sign-in; what a table refers to stands before it. */
  readonly tables: readonly SnapshotTable[];
  /** The rows of a table, in small steps between which the process does other things. */
  rows(table: SnapshotTable): AsyncIterable<readonly (readonly unknown[])[]>;
  /** Every row of a query; for small answers only. */
  all(sql: string): Promise<readonly (readonly unknown[])[]>;
  close(): Promise<void>;
}

/** Rows of one step. Small, so that a request waits for no more than these. */
export const snapshotStepRows = 50;

/** Kept by whoever migrates or holds the database: no part of a backup. */
export const ownTables: readonly string[] = ["kysely_migration", "kysely_migration_lock", "holder"];

/** Puts what is referred to before what refers to it. */
export function parentsFirst(
  names: readonly string[],
  parentsOf: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const ordered = new Set<string>();
  const visit = (name: string, above: ReadonlySet<string>): void => {
    if (ordered.has(name) || above.has(name)) return;
    for (const parent of parentsOf.get(name) ?? []) {
      if (names.includes(parent)) visit(parent, new Set([...above, name]));
    }
    ordered.add(name);
  };
  for (const name of [...names].sort()) visit(name, new Set());
  return [...ordered];
}
