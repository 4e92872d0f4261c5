import { afterAll, expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { DatabaseInUseError } from "./postgres-hold.ts";
import { createSqlProjectStore } from "./project-store.ts";
import { testDatabases } from "./testing/test-databases.ts";

const drops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(drops.map((drop) => drop())));

const project = {
  id: "prj_1",
  team_id: null,
  name: "One",
  demo: 0,
  settings: "{}",
  created_at_ms: 1_800_000_000_123,
  disabled_at_ms: null,
};

for (const kind of await testDatabases()) {
  test(`${kind.name}: instants come back as the numbers that they were`, async () => {
    const { database, drop } = await kind.create();
    drops.push(drop);
    const store = createSqlProjectStore(database);
    await store.insert(project);
    expect(await store.get("prj_1")).toEqual(project);
  });

  test(`${kind.name}: texts are in the order of their bytes, and nothing is in an empty list`, async () => {
    const { database, drop } = await kind.create();
    drops.push(drop);
    const names = ["key.", "key.a", "key/", "Key", "_key", "é", "a b", "ab"];
    for (const name of names) {
      await database.insertInto("team").values({ id: name, name, created_at_ms: 1 }).execute();
    }
    const read = database.selectFrom("team").select("id").orderBy("id");
    const ids = async (query: typeof read) => (await query.execute()).map(({ id }) => id);
    const byBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await ids(read)).toEqual(byBytes);
    expect(await ids(read.where("id", ">=", "key.").where("id", "<", "key/"))).toEqual([
      "key.",
      "key.a",
    ]);
    expect(await ids(read.where("id", "in", []))).toEqual([]);
    expect(await ids(read.where("id", "not in", []))).toEqual(byBytes);
  });

  if (kind.name !== "PostgreSQL") continue;
  test("a PostgreSQL database belongs to one server at a time, and is free when that one has closed", async () => {
    const { place, database, drop } = await kind.create();
    drops.push(drop);
    await expect(openDatabase(place)).rejects.toThrow(DatabaseInUseError);
    await database.destroy();
    await (await openDatabase(place)).destroy();
  });
}
