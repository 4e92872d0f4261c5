import { type Kysely, Migrator } from "kysely";
import { migrations } from "./migrations.ts";
import { connectToPostgres } from "./postgres.ts";
import type { Schema } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";

/** The truth, as the stores see it: embedded SQLite or PostgreSQL. */
export type Database = Kysely<Schema>;

/**
 * Opens a database and brings it up to date. Every write is durable when its promise resolves.
 *
 * @param place Path of an SQLite file, `:memory:`, or the URL of a PostgreSQL database.
 * @throws `DatabaseInUseError` while another server has the PostgreSQL database.
 */
export async function openDatabase(place: string): Promise<Database> {
  const database = /^postgres(?:ql)?:/.test(place)
    ? await connectToPostgres(place)
    : openSqlite(place);
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
