import { type Kysely, PostgresAdapter } from "kysely";

/** Whether a database is PostgreSQL, for the few statements that differ. */
// biome-ignore lint/suspicious/noExplicitAny: the tables do not matter here
export function isPostgres(database: Kysely<any>): boolean {
  return database.getExecutor().adapter instanceof PostgresAdapter;
}
