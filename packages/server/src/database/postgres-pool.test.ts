import { Kysely, PostgresDialect, sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DatabaseUnavailableError } from "./database-unavailable.ts";
import { createPostgresPool, type PostgresPoolOptions } from "./postgres-pool.ts";
import { type TestPlace, testDatabases } from "./testing/test-databases.ts";

const kind = (await testDatabases()).find(({ name }) => name === "PostgreSQL");
let where: TestPlace;
const opened: Kysely<unknown>[] = [];

beforeAll(async () => {
  if (kind) where = await kind.createPlace();
});
afterAll(async () => {
  for (const each of opened) await each.destroy();
  await where?.drop();
});

function open(options: Partial<PostgresPoolOptions> = {}): Kysely<unknown> {
  const pool = createPostgresPool({ url: where.place, max: 2, ...options });
  const database = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  opened.push(database);
  return database;
}

describe.skipIf(!kind)("the pool of PostgreSQL connections", () => {
  test("counts and sums are numbers", async () => {
    const database = open();
    const query = sql`select count(*) as counted, sum(n)::numeric as summed from (values (1::bigint), (2)) as t (n)`;
    expect((await query.execute(database)).rows).toEqual([{ counted: 2, summed: 3 }]);
  });

  test("a statement that takes too long is given up, and its connection serves the next one", async () => {
    const database = open({ max: 1, statementTimeoutMs: 50 });
    await expect(sql`select pg_sleep(5)`.execute(database)).rejects.toThrow(
      DatabaseUnavailableError,
    );
    expect((await sql`select 1 as one`.execute(database)).rows).toEqual([{ one: 1 }]);
  });

  test("a statement that is wrong is told as it is", async () => {
    const thrown = await sql`select nothing`.execute(open()).catch((error: unknown) => error);
    expect(thrown).not.toBeInstanceOf(DatabaseUnavailableError);
    expect(thrown).toMatchObject({ code: "42703" });
  });

  test("a connection that ends in the middle of a transaction, at rest, fails it and nothing else", async () => {
    const database = open();
    const broken = database.transaction().execute(async (db) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(database);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await sql`select 1`.execute(db);
    });
    await expect(broken).rejects.toThrow(DatabaseUnavailableError);
    expect((await sql`select 1 as one`.execute(database)).rows).toEqual([{ one: 1 }]);
  });

  test("the commit of a transaction that had failed is no success", async () => {
    const database = open();
    const hidden = database.transaction().execute(async (db) => {
      await sql`select 1 / 0`.execute(db).catch(() => undefined);
    });
    await expect(hidden).rejects.toThrow("rolled back");
  });

  test("what is answered is durable even where the database is set to be fast", async () => {
    const name = new URL(where.place).pathname.slice(1);
    await sql.raw(`alter database ${name} set synchronous_commit = off`).execute(open());
    const { rows } = await sql`show synchronous_commit`.execute(open());
    expect(rows).toEqual([{ synchronous_commit: "on" }]);
  });

  test("nothing is read or written while the database may belong to somebody else", async () => {
    let isHeld = true;
    const database = open({ isHeld: () => isHeld });
    await sql`select 1`.execute(database);
    isHeld = false;
    await expect(sql`select 1`.execute(database)).rejects.toThrow(DatabaseUnavailableError);
  });
});
