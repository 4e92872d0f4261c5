import type { Database } from "./database.ts";
import type { WriteGroup } from "./group-commit.ts";
import type { SessionRow } from "./schema.ts";
import { type SqliteDriver, sqliteDriverOf } from "./sqlite.ts";

/** The two statements that every mint and the first use of every token need. */
export interface SessionRows {
  readonly insert: WriteGroup<SessionRow>;
  byDigest(digest: Buffer): Promise<SessionRow | undefined>;
}

/** Creates them: prepared once where the database is embedded. */
export function createSessionRows(database: Database): SessionRows {
  const driver = sqliteDriverOf(database);
  return driver ? inSqlite(database, driver) : inPostgres(database);
}

/** Every column, which the compiler sees to. */
const columns: Readonly<Record<keyof SessionRow, true>> = {
  digest: true,
  sid: true,
  project_id: true,
  kid: true,
  integration_id: true,
  owner: true,
  visitor_id: true,
  visitor_ip: true,
  issued_at_ms: true,
  expires_at_s: true,
  policy: true,
  metadata: true,
  revoked_at_ms: true,
};
const names = Object.keys(columns) as (keyof SessionRow)[];

function inSqlite(database: Database, { connection, onStatement }: SqliteDriver): SessionRows {
  const insertion = `insert into session (${names.join(", ")}) values (${names.map(() => "?")})`;
  const insert = connection.prepare(insertion);
  const query = "select * from session where digest = ?";
  const select = connection.prepare<[Buffer], SessionRow>(query);

  function insertOne(row: SessionRow): Error | undefined {
    try {
      insert.run(names.map((name) => row[name]));
      return undefined;
    } catch (error) {
      // The statement is undone and the transaction goes on; anything else ends the whole group.
      if (error instanceof Error && isOfOneRow(error) && connection.inTransaction) return error;
      throw error;
    }
  }
  const insertAll = connection.transaction((rows: readonly SessionRow[]) => rows.map(insertOne));

  // The connection is asked for so that no transaction of somebody else is open on it.
  return {
    insert: (rows) =>
      database.connection().execute(async () => {
        onStatement(insertion);
        return insertAll.immediate(rows);
      }),
    byDigest: (digest) =>
      database.connection().execute(async () => {
        onStatement(query);
        return select.get(digest);
      }),
  };
}

/** @see https://www.sqlite.org/rescode.html */
function isOfOneRow(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    /^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG)/.test(code)
  );
}

function inPostgres(database: Database): SessionRows {
  const insert = (rows: readonly SessionRow[]) =>
    database.insertInto("session").values(rows).execute();

  return {
    async insert(rows) {
      try {
        // One statement is one transaction: all of it or nothing.
        await insert(rows);
        return [];
      } catch (error) {
        const problem = toRowProblem(error);
        if (rows.length === 1) return [problem];
      }
      const problems: (Error | undefined)[] = [];
      for (const row of rows) {
        problems.push(await insert([row]).then(() => undefined, toRowProblem));
      }
      return problems;
    },
    byDigest: (digest) =>
      database.selectFrom("session").selectAll().where("digest", "=", digest).executeTakeFirst(),
  };
}

/**
 * An error that says something of the data: classes 22 and 23.
 *
 * @throws Every other error.
 * @see https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
function toRowProblem(error: unknown): Error {
  if (error instanceof Error && "code" in error && /^2[23]/.test(String(error.code))) return error;
  throw error;
}
