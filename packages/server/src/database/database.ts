import { type Kysely, Migrator } from "kysely";
import type { AuditKeys } from "../audit/audit-chain.ts";
import { type AuditSealing, giveAuditSealing, passingAuditKeys } from "./audit-keys.ts";
import type { OnStatement } from "./log-statements.ts";
import { migrations } from "./migrations.ts";
import { connectToPostgres } from "./postgres.ts";
import type { PostgresHoldOptions } from "./postgres-hold.ts";
import type { Schema } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";

/** The truth, as the stores see it: embedded SQLite or PostgreSQL. */
export type Database = Kysely<Schema>;

/** What {@link openDatabase} may be told. */
export interface OpenDatabaseOptions {
  /** Keys of the audit. @default keys that nobody has, for a database that is gone when its test is */
  readonly audit?: AuditSealing;
  /** Told of every statement, without what is bound to it. */
  readonly onStatement?: OnStatement;
  /** What becomes of the hold on a PostgreSQL database while it is open. */
  readonly hold?: PostgresHoldOptions;
}

/**
 * Opens a database and brings it up to date. Every write is durable when its promise resolves.
 *
 * @param place Path of an SQLite file, `:memory:`, or the URL of a PostgreSQL database.
 * @throws `DatabaseInUseError` while another server has the PostgreSQL database,
 *   `DatabaseUnavailableError` when it cannot be reached.
 */
export async function openDatabase(
  place: string,
  { audit = { keys: passingAuditKeys() }, onStatement, hold }: OpenDatabaseOptions = {},
): Promise<Database> {
  const bringUpToDate = async (database: Database) => {
    giveAuditSealing(database, audit);
    await migrate(database, audit.keys);
  };
  if (/^postgres(?:ql)?:/.test(place)) {
    const database = await connectToPostgres(place, { bringUpToDate, onStatement, hold });
    giveAuditSealing(database, audit);
    return database;
  }
  const database = openSqlite(place, onStatement);
  try {
    await bringUpToDate(database);
    return database;
  } catch (error) {
    await database.destroy();
    throw error;
  }
}

/**
 * Runs the migrations that this database has not seen.
 *
 * @param auditKeys Seal the audit that is put into a chain.
 * @param options.upTo Name of the last one to run. @default the last there is
 * @param options.isInTransaction Whether the caller has begun one already.
 */
export async function migrate(
  database: Database,
  auditKeys: AuditKeys,
  { upTo, isInTransaction = false }: { upTo?: string; isInTransaction?: boolean } = {},
): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => migrations(auditKeys) },
    disableTransactions: isInTransaction,
  });
  const { error } = await (upTo === undefined
    ? migrator.migrateToLatest()
    : migrator.migrateTo(upTo));
  if (error) throw error;
}
