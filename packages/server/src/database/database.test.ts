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

  if (kind.name !== "PostgreSQL") continue;
  test("a PostgreSQL database belongs to one server at a time, and is free when that one has closed", async () => {
    const { place, database, drop } = await kind.create();
    drops.push(drop);
    await expect(openDatabase(place)).rejects.toThrow(DatabaseInUseError);
    await database.destroy();
    await (await openDatabase(place)).destroy();
  });
}
