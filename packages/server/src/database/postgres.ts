import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { logTo, type OnStatement } from "./log-statements.ts";
import type { Schema } from "./schema.ts";

/** Another server has the database. Until servers can share one, a database belongs to one server. */
export class DatabaseInUseError extends Error {
  override readonly name = "DatabaseInUseError";
}

/** Any number will do, as long as every Valet server asks for the same one: `valet` in ASCII. */
const lockId = "508069831028";

/**
 * Connects to a PostgreSQL database and takes it for this process, as the lock of the data folder
 * does for an embedded one: keys and revocations are mirrored in memory. The lock is an advisory
 * one of a connection of its own, which ends with the process.
 *
 * @param url `postgres://user:password@host:port/database`.
 * @param onStatement Told of every statement.
 * @throws {@link DatabaseInUseError}
 * @see https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
 */
export async function connectToPostgres(
  url: string,
  onStatement?: OnStatement,
): Promise<Kysely<Schema>> {
  const lock = new pg.Client({ connectionString: url });
  await lock.connect();
  // A connection that breaks is noticed by the next statement of the pool.
  lock.on("error", () => undefined);
  const { rows } = await lock.query("select pg_try_advisory_lock($1) as taken", [lockId]);
  if (!rows[0]?.taken) {
    await lock.end();
    throw new DatabaseInUseError("Another Valet server is using this database.");
  }
  const pool = new pg.Pool({ connectionString: url, max: 10, types: { getTypeParser } });
  pool.on("error", () => undefined);
  const database = new Kysely<Schema>({
    dialect: new PostgresDialect({ pool }),
    ...logTo(onStatement),
  });
  const destroy = database.destroy.bind(database);
  database.destroy = async () => {
    await destroy();
    await lock.end();
  };
  return database;
}

const bigintOid = 20;

/** Counts and instants fit into a double; the driver would make texts of them. */
const getTypeParser: pg.CustomTypesConfig["getTypeParser"] = (oid, format) =>
  oid === bigintOid ? Number : pg.types.getTypeParser(oid, format as "text");
