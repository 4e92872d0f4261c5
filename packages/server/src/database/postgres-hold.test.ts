import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DatabaseUnavailableError } from "./database-unavailable.ts";
import { DatabaseInUseError, type HoldEvent, holdPostgres } from "./postgres-hold.ts";
import { connectDirectly, type TestPlace, testDatabases } from "./testing/test-databases.ts";

const kind = (await testDatabases()).find(({ name }) => name === "PostgreSQL");
let where: TestPlace;
let operator: Awaited<ReturnType<typeof connectDirectly>>;

beforeAll(async () => {
  if (!kind) return;
  where = await kind.createPlace();
  operator = await connectDirectly(where.place);
  await operator.query("create table holder (name text primary key)");
});
afterAll(async () => {
  await operator?.end();
  await where?.drop();
});

/** A hold that tells what becomes of it. */
async function hold() {
  const events: HoldEvent[] = [];
  const waiting: (() => void)[] = [];
  const held = await holdPostgres(where.place, {
    beatMs: 50,
    retryMs: 20,
    patienceMs: 0,
    onEvent(event) {
      events.push(event);
      for (const tell of waiting.splice(0)) tell();
    },
  });
  await held.sign();
  const until = async (event: HoldEvent) => {
    while (!events.includes(event)) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { held, events, until };
}

const endHolds = () =>
  operator.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'valet hold' and datname = current_database()",
  );

describe.skipIf(!kind)("the hold on a PostgreSQL database", () => {
  test("one process has it, and the next one when it lets go", async () => {
    const { held } = await hold();
    await expect(holdPostgres(where.place, { patienceMs: 0 })).rejects.toThrow(DatabaseInUseError);
    await held.release();
    await (await holdPostgres(where.place, { patienceMs: 0 })).release();
  });

  test("a server that starts while another one ends waits for it", async () => {
    const { held } = await hold();
    const next = holdPostgres(where.place, { patienceMs: 5_000 });
    await held.release();
    await (await next).release();
  });

  test("a lost one is not held until it is back, and then it is", async () => {
    const { held, events, until } = await hold();
    expect(held.isHeld()).toBe(true);
    await endHolds();
    await until("lost");
    expect([held.isHeld(), events]).toEqual([false, ["lost"]]);
    await until("back");
    expect(held.isHeld()).toBe(true);
    await endHolds();
    await until("back");
    await held.release();
    expect(held.isHeld()).toBe(false);
  });

  test("whoever finds another's signature never holds it again, even when it is free", async () => {
    const { held, events, until } = await hold();
    await operator.query("update holder set name = 'another'");
    await endHolds();
    await until("taken");
    expect([held.isHeld(), events]).toEqual([false, ["lost", "taken"]]);
    await held.release();
  });

  test("nothing is told of a hold that was let go", async () => {
    const { held, events } = await hold();
    await held.release();
    await endHolds();
    expect(events).toEqual([]);
  });

  test("a database that cannot be reached is told as that, without the password", async () => {
    const wrong = "postgres://valet:hush@127.0.0.1:1/valet";
    const error = await holdPostgres(wrong).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatabaseUnavailableError);
    expect(String(error)).not.toContain("hush");
  });
});
