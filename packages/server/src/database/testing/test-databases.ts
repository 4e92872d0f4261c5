import { randomBytes } from "node:crypto";
import pg from "pg";
import { type Database, openDatabase } from "../database.ts";

/** A kind of database that tests of the stores run on. */
export interface TestDatabaseKind {
  readonly name: "SQLite" | "PostgreSQL";
  /** Makes an empty one of its own. */
  create(): Promise<TestDatabase>;
}

/** One empty database. */
export interface TestDatabase {
  /** What `openDatabase` takes to open it again. */
  readonly place: string;
  readonly database: Database;
  /** Closes and removes it. */
  drop(): Promise<void>;
}

const serverUrl =
  process.env.VALET_TEST_DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/postgres";

/**
 * The kinds that can be had here. PostgreSQL is the server of `VALET_TEST_DATABASE_URL`, else the
 * local one; where none answers, its tests are left out with a line, and with `CI=true` they fail.
 */
export async function testDatabases(): Promise<readonly TestDatabaseKind[]> {
  const kinds: TestDatabaseKind[] = [sqlite];
  try {
    await onServer("select 1");
    kinds.push(postgres);
  } catch (error) {
    if (process.env.CI === "true") throw error;
    console.warn("No PostgreSQL answers: the tests that need it are left out.");
  }
  return kinds;
}

const sqlite: TestDatabaseKind = {
  name: "SQLite",
  async create() {
    const database = await openDatabase(":memory:");
    return { place: ":memory:", database, drop: () => database.destroy() };
  },
};

const postgres: TestDatabaseKind = {
  name: "PostgreSQL",
  async create() {
    const name = `valet_test_${randomBytes(8).toString("hex")}`;
    await onServer(`create database ${name}`);
    const place = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
    const database = await openDatabase(place);
    return {
      place,
      database,
      async drop() {
        await database.destroy();
        await onServer(`drop database if exists ${name} with (force)`);
      },
    };
  },
};

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
