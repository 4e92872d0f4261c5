import { setImmediate as otherWork } from "node:timers/promises";
import SQLite from "better-sqlite3";
import {
  ownTables,
  parentsFirst,
  type Snapshot,
  type SnapshotTable,
  snapshotStepRows,
} from "./snapshot.ts";

/**
 * A snapshot of an SQLite file: a read transaction on a connection of its own. With the write-ahead
 * log it keeps no writer waiting, and sees nothing of what is written meanwhile.
 *
 * @see https://www.sqlite.org/isolation.html
 */
export async function openSqliteSnapshot(file: string): Promise<Snapshot> {
  const db = new SQLite(file, { readonly: true, fileMustExist: true });
  try {
    db.pragma("busy_timeout = 2000");
    db.exec("begin");
    const names = db
      .prepare(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite~_%' escape '~'",
      )
      .pluck()
      .all() as string[];
    const ours = names.filter((name) => !ownTables.includes(name));
    const tables = parentsFirst(ours, parentsOf(db, ours)).map((name) => tableOf(db, name));
    const migrations = names.includes("kysely_migration")
      ? (db.prepare("select name from kysely_migration order by name").pluck().all() as string[])
      : [];
    return {
      kind: "sqlite",
      migrations,
      tables,
      async *rows({ name, columns }) {
        const list = columns.map(quote).join(", ");
        const read = db.prepare(`select ${list} from ${quote(name)}`).raw(true);
        let step: unknown[][] = [];
        for (const row of read.iterate() as IterableIterator<unknown[]>) {
          step.push(row);
          if (step.length < snapshotStepRows) continue;
          yield step;
          step = [];
          await otherWork();
        }
        if (step.length > 0) yield step;
      },
      all: async (sql) => db.prepare(sql).raw(true).all() as unknown[][],
      close: async () => void db.close(),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

function tableOf(db: SQLite.Database, name: string): SnapshotTable {
  const columns = db.prepare("select name from pragma_table_info(?)").pluck().all(name) as string[];
  const hasSequence = db
    .prepare("select count(*) from sqlite_master where name = ? and sql like '%autoincrement%'")
    .pluck()
    .get(name);
  const sequence = hasSequence
    ? ((db.prepare("select seq from sqlite_sequence where name = ?").pluck().get(name) as
        | number
        | undefined) ?? 0)
    : null;
  return { name, columns, sequence };
}

function parentsOf(db: SQLite.Database, names: readonly string[]): Map<string, Set<string>> {
  const read = db.prepare('select "table" from pragma_foreign_key_list(?)').pluck();
  return new Map(names.map((name) => [name, new Set(read.all(name) as string[])]));
}

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
