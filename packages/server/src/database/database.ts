import { type Kysely, Migrator } from "kysely";
import type { AuditKeys } from "../audit/audit-chain.ts";
import { type AuditSealing, giveAuditSealing, passingAuditKeys } from "./audit-keys.ts";
import { migrations } from "./migrations.ts";
import { connectToPostgres } from "./postgres.ts";
import type { Schema } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";

/** The truth, as the stores see it: embedded SQLite or PostgreSQL. */
export type Database = Kysely<Schema>;

/** What {@link openDatabase} may be told. */
export interface OpenDatabaseOptions {
  /** Keys of the audit. @default keys that nobody has, for a database that is gone when its test is */
  readonly audit?: AuditSealing;
  /** Told of every statement, without what is bound to it. */
  readonly onStatement?: (sql: string) => void;
}

/**
 * Opens a database and brings it up to date. Every write is durable when its promise resolves.
 *
 * @param place Path of an SQLite file, `:memory:`, or the URL of a PostgreSQL database.
 * @throws `DatabaseInUseError` while another server has the PostgreSQL database.
 */
export async function openDatabase(
  place: string,
  { audit = { keys: passingAuditKeys() }, onStatement }: OpenDatabaseOptions = {},
): Promise<Database> {
  const database = /^postgres(?:ql)?:/.test(place)
    ? await connectToPostgres(place, onStatement)
    : openSqlite(place, onStatement);
  giveAuditSealing(database, audit);
  await migrate(database, audit.keys);
  return database;
}

/** Runs the migrations that this database has not seen. */
async function migrate(database: Database, auditKeys: AuditKeys): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => migrations(auditKeys) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error) {
    await database.destroy();
    throw error;
  }
}
