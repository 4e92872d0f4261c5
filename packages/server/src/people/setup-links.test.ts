import { expect, test } from "vitest";
import { openDatabase } from "../database/database.ts";
import { createSqlSetupLinkStore } from "../database/setup-link-store.ts";
import { createSetupLinks } from "./setup-links.ts";

async function open() {
  const database = await openDatabase(":memory:");
  const clock = { ms: 1_800_000_000_000 };
  const links = createSetupLinks({
    store: createSqlSetupLinkStore(database),
    now: () => clock.ms,
  });
  return { links, clock, database };
}

test("a code does its work once", async () => {
  const { links } = await open();
  const code = await links.create();
  expect(await links.spend(code, async () => "made")).toBe("made");
  expect(await links.spend(code, async () => "again")).toBeUndefined();
});

test("of racers with one code exactly one gets through", async () => {
  const { links } = await open();
  const code = await links.create();
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, at) => links.spend(code, async () => at)),
  );
  expect(results.filter((result) => result !== undefined)).toHaveLength(1);
});

test("a code is over after an hour", async () => {
  const { links, clock } = await open();
  const code = await links.create();
  clock.ms += 3_600_000;
  expect(await links.spend(code, async () => "made")).toBeUndefined();
});

test("work that fails does not spend the code", async () => {
  const { links } = await open();
  const code = await links.create();
  const failing = links.spend(code, async () => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await links.spend(code, async () => "made")).toBe("made");
});

test("an unknown code does nothing, and no code stands in the database", async () => {
  const { links, database } = await open();
  const code = await links.create();
  expect(await links.spend("guess", async () => "made")).toBeUndefined();
  const rows = await database.selectFrom("setup_link").selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(code);
});
