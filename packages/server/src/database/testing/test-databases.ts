import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Database, openDatabase } from "../database.ts";

/** A kind of database that tests of the stores run on. */
export interface TestDatabaseKind {
  readonly name: "SQLite" | "PostgreSQL";
  /** Makes an empty one of its own. */
  create(): Promise<TestDatabase>;
  /** Makes the place of one that can be opened more than once, and opens nothing. */
  createPlace(): Promise<TestPlace>;
}

/** Where an empty database will be. */
export interface TestPlace {
  /** What `openDatabase` takes. */
  readonly place: string;
  /** Removes it, whoever has it open. */
  drop(): Promise<void>;
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
  async createPlace() {
    const folder = mkdtempSync(join(tmpdir(), "valet-database-"));
    const drop = async () => rmSync(folder, { recursive: true, force: true });
    return { place: join(folder, "valet.db"), drop };
  },
};

const postgres: TestDatabaseKind = {
  name: "PostgreSQL",
  async create() {
    const { place, drop } = await postgres.createPlace();
    const database = await openDatabase(place);
    return { place, database, drop: () => database.destroy().then(drop) };
  },
  async createPlace() {
    const name = `valet_test_${randomBytes(8).toString("hex")}`;
    // With the rules of a language where there are some: nothing of ours may depend on them.
    const ofLanguage = `create database ${name} template template0 encoding 'UTF8' locale_provider icu icu_locale 'en'`;
    await onServer(ofLanguage).catch(() => onServer(`create database ${name}`));
    return {
      place: Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href,
      drop: () => onServer(`drop database if exists ${name} with (force)`),
    };
  },
};

/** A connection of its own to a PostgreSQL database, past everything that Valet does. */
export async function connectDirectly(place: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: place });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

async function onServer(statement: string): Promise<void> {
  const client = await connectDirectly(serverUrl);
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
