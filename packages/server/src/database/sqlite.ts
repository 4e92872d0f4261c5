import SQLite from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";
import { plugins } from "./dialect.ts";
import { logTo, type OnStatement } from "./log-statements.ts";
import type { Schema } from "./schema.ts";

/**
 * Opens an embedded database: write-ahead log with `synchronous=FULL`, so that what was answered
 * survives a power cut. One process at a time opens it; the data folder's lock sees to that.
 *
 * @param file Path of the file, or `:memory:`.
 * @param onStatement Told of every statement.
 */
export function openSqlite(file: string, onStatement?: OnStatement): Kysely<Schema> {
  const connection = new SQLite(file);
  connection.pragma("journal_mode = WAL");
  connection.pragma("synchronous = FULL");
  connection.pragma("foreign_keys = ON");
  // What is deleted is overwritten, too: an erasure leaves nothing behind.
  connection.pragma("secure_delete = ON");
  // Waiting for a lock would stall the whole process.
  connection.pragma("busy_timeout = 50");
  const database = new Kysely<Schema>({
    dialect: new SqliteDialect({ database: connection }),
    plugins,
    ...logTo(onStatement),
  });
  drivers.set(database, { connection, onStatement: onStatement ?? (() => undefined) });
  return database;
}

/** What is under an embedded database, for statements that are prepared once. */
export interface SqliteDriver {
  readonly connection: SQLite.Database;
  /** To be told of statements that Kysely does not see. */
  readonly onStatement: OnStatement;
}

const drivers = new WeakMap<Kysely<Schema>, SqliteDriver>();

/**
 * The driver of an embedded database; undefined for every other one. Use it inside
 * `database.connection()` only: a transaction may be open on it otherwise.
 */
export function sqliteDriverOf(database: Kysely<Schema>): SqliteDriver | undefined {
  return drivers.get(database);
}
