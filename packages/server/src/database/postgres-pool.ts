import type { PostgresPool } from "kysely";
import pg from "pg";
import { DatabaseUnavailableError, readPostgresError } from "./database-unavailable.ts";

/** What {@link createPostgresPool} needs. */
export interface PostgresPoolOptions {
  readonly url: string;
  /** Whether the database still belongs to this process. @default always */
  readonly isHeld?: () => boolean;
  /** The most connections at once. @default 10 */
  readonly max?: number;
  /** The longest a statement may take, in milliseconds; 0 for no limit. @default 30_000 */
  readonly statementTimeoutMs?: number;
}

/** How long to wait for a connection, new or given back, in milliseconds. */
const connectTimeoutMs = 5_000;
/** How long a statement waits for a lock, in milliseconds. */
const lockTimeoutMs = 10_000;

/**
 * A pool of connections. A connection that breaks, idle or at work, ends no process: its statement
 * fails with `DatabaseUnavailableError`, and the pool makes another one when it is needed.
 *
 * A write is durable when it is answered, whatever the server's default: `synchronous_commit` is
 * on for our connections.
 */
export function createPostgresPool({
  url,
  isHeld = () => true,
  max = 10,
  statementTimeoutMs = 30_000,
}: PostgresPoolOptions): PostgresPool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: "valet",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    types: { getTypeParser },
    onConnect: async (client) => {
      await client.query(
        "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
      );
    },
  });
  pool.on("error", () => undefined);
  // The pool listens to idle connections alone; an error that nobody hears ends the process.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return {
    async connect() {
      if (!isHeld()) throw new DatabaseUnavailableError("The hold on the database was lost.");
      const client = await pool.connect().catch((error: unknown) => {
        throw readPostgresError(error);
      });
      return {
        query: (async (statement: string, parameters: unknown[]) => {
          const result = await client.query(statement, parameters).catch((error: unknown) => {
            throw readPostgresError(error);
          });
          // PostgreSQL answers the commit of a transaction that has failed with a rollback.
          if (statement === "commit" && result.command !== "COMMIT") {
            throw new Error("The transaction had failed and was rolled back.");
          }
          return result;
        }) as never,
        release: () => client.release(),
      };
    },
    end: () => pool.end(),
  };
}

const bigintOid = 20;
const numericOid = 1700;

/** Counts, sums and instants fit into a double; the driver would make texts of them. */
const getTypeParser: pg.CustomTypesConfig["getTypeParser"] = (oid, format) =>
  oid === bigintOid || oid === numericOid ? Number : pg.types.getTypeParser(oid, format as "text");

/** How values of PostgreSQL come into JavaScript, for connections beside the pool. */
export const postgresTypes: pg.CustomTypesConfig = { getTypeParser };
