import SQLite from "better-sqlite3";
import { Kysely, Migrator, SqliteDialect } from "kysely";
import { migrations } from "./migrations.ts";
import type { Schema } from "./schema.ts";

/** The truth, as the stores see it. */
export type Database = Kysely<Schema>;

/**
 * Opens the embedded database and brings it up to date.
 *
 * Durable by default: write-ahead log with `synchronous=FULL`, so that what was answered survives
 * a power cut. One process at a time opens it; the data folder's lock sees to that.
 *
 * @param file Path of the file, or `:memory:`.
 */
export async function openDatabase(file: string): Promise<Database> {
  const connection = new SQLite(file);
  connection.pragma("journal_mode = WAL");
  connection.pragma("synchronous = FULL");
  connection.pragma("foreign_keys = ON");
  connection.pragma("busy_timeout = 50");
  const database = new Kysely<Schema>({ dialect: new SqliteDialect({ database: connection }) });
  await migrate(database);
  return database;
}

/** Runs the migrations that this database has not seen. */
async function migrate(database: Database): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => ({ ...migrations }) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error) {
    await database.destroy();
    throw error;
  }
}
