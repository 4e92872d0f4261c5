import { Kysely, PostgresDialect } from "kysely";
import { plugins } from "./dialect.ts";
import { logTo, type OnStatement } from "./log-statements.ts";
import { holdPostgres, type PostgresHoldOptions } from "./postgres-hold.ts";
import { createPostgresPool, type PostgresPoolOptions } from "./postgres-pool.ts";
import type { Schema } from "./schema.ts";

/** What {@link connectToPostgres} needs. */
export interface ConnectToPostgresOptions {
  /** Makes the tables what they must be. It runs without a time limit for statements. */
  readonly bringUpToDate: (database: Kysely<Schema>) => Promise<void>;
  /** Told of every statement. */
  readonly onStatement?: OnStatement | undefined;
  readonly hold?: PostgresHoldOptions | undefined;
}

/**
 * Connects to a PostgreSQL database and takes it for this process.
 *
 * @param url `postgres://user:password@host:port/database`.
 * @throws `DatabaseInUseError`, `DatabaseUnavailableError`
 */
export async function connectToPostgres(
  url: string,
  { bringUpToDate, onStatement, hold: options }: ConnectToPostgresOptions,
): Promise<Kysely<Schema>> {
  const hold = await holdPostgres(url, options);
  try {
    const patient = open({ url, max: 2, statementTimeoutMs: 0 }, onStatement);
    await bringUpToDate(patient).finally(() => patient.destroy());
    await hold.sign();
  } catch (error) {
    await hold.release();
    throw error;
  }
  const database = open({ url, isHeld: hold.isHeld }, onStatement);
  const destroy = database.destroy.bind(database);
  database.destroy = async () => {
    await destroy();
    await hold.release();
  };
  return database;
}

function open(options: PostgresPoolOptions, onStatement?: OnStatement): Kysely<Schema> {
  const dialect = new PostgresDialect({ pool: createPostgresPool(options) });
  return new Kysely<Schema>({ dialect, plugins, ...logTo(onStatement) });
}
