import { afterAll, expect, test } from "vitest";
import { createCleanUp } from "../clean-up/clean-up.ts";
import type { Database } from "../database/database.ts";
import { createSqlRemovalStore } from "../database/removal-store.ts";
import { testDatabases } from "../database/testing/test-databases.ts";
import { retentionChores } from "./retention.ts";

const dayMs = 24 * 3600_000;
const nowMs = 1_800_000_000_000;
const drops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(drops.map((drop) => drop())));

const days: Record<string, number> = { short: 10, long: 90 };

async function addThread(
  database: Database,
  thread: { id: string; project: string; ageDays: number; deletedDays?: number; messages?: number },
): Promise<void> {
  const atMs = nowMs - thread.ageDays * dayMs;
  await database
    .insertInto("thread")
    .values({
      id: thread.id,
      project_id: thread.project,
      integration_id: null,
      owner: "o",
      only_sid: null,
      title: "t",
      created_at_ms: atMs,
      updated_at_ms: atMs,
      deleted_at_ms: thread.deletedDays === undefined ? null : nowMs - thread.deletedDays * dayMs,
    })
    .execute();
  for (let position = 0; position < (thread.messages ?? 1); position += 1) {
    await database
      .insertInto("message")
      .values({
        id: `m${position}`,
        thread_id: thread.id,
        position,
        role: "user",
        parts: "[]",
        cited: null,
        error: null,
        created_at_ms: atMs,
      })
      .execute();
  }
}

for (const kind of await testDatabases()) {
  async function open() {
    const { database, drop } = await kind.create();
    drops.push(drop);
    for (const id of Object.keys(days)) {
      await database
        .insertInto("project")
        .values({ id, team_id: null, name: id, demo: 0, created_at_ms: 1 })
        .execute();
    }
    const chores = retentionChores({
      removal: createSqlRemovalStore(database),
      projects: async () => Object.keys(days),
      daysOf: (id) => days[id] ?? 0,
    });
    const store = { chores, isBlocking: false };
    const { run } = createCleanUp({ store, now: () => nowMs, pause: async () => undefined });
    const threads = async () =>
      (await database.selectFrom("thread").select("id").orderBy("id").execute()).map(
        ({ id }) => id,
      );
    return { database, chores, run, threads };
  }

  test(`${kind.name}: conversations go when their own project no longer keeps them, deleted ones after a week, and the rest stays`, async () => {
    const { database, run, threads } = await open();
    await addThread(database, { id: "a-old", project: "short", ageDays: 11 });
    await addThread(database, { id: "b-young", project: "short", ageDays: 9 });
    await addThread(database, { id: "c-kept", project: "long", ageDays: 89 });
    await addThread(database, { id: "d-old", project: "long", ageDays: 91 });
    await addThread(database, { id: "e-gone", project: "long", ageDays: 8, deletedDays: 8 });
    await addThread(database, { id: "f-grace", project: "long", ageDays: 8, deletedDays: 6 });
    await run();
    expect(await threads()).toEqual(["b-young", "c-kept", "f-grace"]);
    const messages = await database.selectFrom("message").select("thread_id").execute();
    expect(messages.map(({ thread_id }) => thread_id).sort()).toEqual(await threads());
    expect(await run()).toBe(0);
  });

  test(`${kind.name}: no step changes more rows than it may, and a conversation is there until all of it is gone`, async () => {
    const { database, chores, threads } = await open();
    await addThread(database, { id: "big", project: "short", ageDays: 20, messages: 1100 });
    const steps: number[] = [];
    for (const { step } of chores) {
      for (let count = await step(nowMs, 500); count > 0; count = await step(nowMs, 500)) {
        steps.push(count);
        if (steps.length < 4) expect(await threads()).toEqual(["big"]);
      }
    }
    // Marked, 500, 500, and the last hundred with the conversation itself.
    expect(steps).toEqual([1, 500, 500, 101]);
    expect(await threads()).toEqual([]);
  });

  test(`${kind.name}: usage by day goes when its project no longer keeps it, and the audit stays whole`, async () => {
    const { database, run } = await open();
    const day = (ago: number) => new Date(nowMs - ago * dayMs).toISOString().slice(0, 10);
    for (const [project_id, ago] of [
      ["short", 11],
      ["short", 9],
      ["long", 11],
    ] as const) {
      await database
        .insertInto("usage_day")
        .values({ project_id, day: day(ago), kind: "turns", count: 1 })
        .execute();
    }
    const audit = await database.selectFrom("audit").selectAll().execute();
    await run();
    const usage = await database.selectFrom("usage_day").select(["project_id", "day"]).execute();
    expect(usage.map(({ project_id, day: of }) => `${project_id} ${of}`).sort()).toEqual([
      `long ${day(11)}`,
      `short ${day(9)}`,
    ]);
    expect(await database.selectFrom("audit").selectAll().execute()).toEqual(audit);
  });
}
