import pg from "pg";

/**
 * The database cannot be reached, or has given up a statement. Whether a write that was under way
 * took place is unknown: whoever asked for it must be told that it failed, and may ask again.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name = "DatabaseUnavailableError";
}

/** What SQLite says when it can write nothing now, or no more: locked, full, or a broken disk. */
const sqliteStates = /^SQLITE_(?:BUSY|FULL|IOERR|READONLY|CANTOPEN)/;

/**
 * SQLSTATE classes and states of PostgreSQL that are about the server and not the statement: no
 * connection, signing in, no resources, given up by an operator or a time limit, a lock that was
 * not got, a deadlock, a standby that takes no writes, the system's own errors.
 *
 * @see https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
const postgresStates = /^(?:08|28|3D|53|57|58|25P|25006|40001|40P01|55P03)/;

/** Whether an error says that the database cannot be used now, and not that the statement is wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailableError) return true;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && sqliteStates.test(code);
}

/**
 * Whether an error says that a text cannot be stored: PostgreSQL keeps no U+0000.
 *
 * @see https://www.postgresql.org/docs/15/datatype-character.html
 */
export function isUnstorableText(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "22021";
}

/** What a failed call of the driver means. */
export function readPostgresError(error: unknown): unknown {
  if (error instanceof DatabaseUnavailableError) return error;
  const isOfServer = error instanceof pg.DatabaseError;
  if (isOfServer && !postgresStates.test(error.code ?? "")) return error;
  // What the driver itself says is about connections: broken, refused, or none to be had.
  const message = error instanceof Error ? error.message || error.name : String(error);
  return new DatabaseUnavailableError(`PostgreSQL cannot be used now: ${message}`, {
    cause: error,
  });
}
