import {
  HandleEmptyInListsPlugin,
  type Kysely,
  type KyselyPlugin,
  PostgresAdapter,
  replaceWithNoncontingentExpression,
} from "kysely";

/** Whether a database is PostgreSQL, for the few statements that differ. */
// biome-ignore lint/suspicious/noExplicitAny: the tables do not matter here
export function isPostgres(database: Kysely<any>): boolean {
  return database.getExecutor().adapter instanceof PostgresAdapter;
}

/**
 * Locks the rows that a query reads until its transaction is over, where others could change them
 * meanwhile. SQLite needs no lock: it has one writer.
 */
export function locking<Query extends { forNoKeyUpdate(): Query }>(
  // biome-ignore lint/suspicious/noExplicitAny: the tables do not matter here
  database: Kysely<any>,
  query: Query,
): Query {
  return isPostgres(database) ? query.forNoKeyUpdate() : query;
}

/** What both databases are told in the same words: nothing is in an empty list, which PostgreSQL cannot read. */
export const plugins: KyselyPlugin[] = [
  new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression }),
];
