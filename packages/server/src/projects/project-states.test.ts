import { expect, test } from "vitest";
import { openDatabase } from "../database/database.ts";
import { createSqlProjectStateStore } from "../database/project-state-store.ts";
import { defaultSettings, projectSettings, toSettingsWire } from "./project-settings.ts";
import { createProjectStates, type ProjectStateStore } from "./project-states.ts";

async function open(wrap: (store: ProjectStateStore) => ProjectStateStore = (store) => store) {
  const database = await openDatabase(":memory:");
  for (const id of ["prj_1", "prj_2"]) {
    await database
      .insertInto("project")
      .values({ id, team_id: null, name: id, demo: 0, created_at_ms: 0 })
      .execute();
  }
  const off: unknown[] = [];
  const reopen = () =>
    createProjectStates({
      store: wrap(createSqlProjectStateStore(database)),
      onOff: (which) => off.push(which),
      now: () => 1_800_000_000_000,
    });
  return { database, off, reopen, states: await reopen() };
}
const who = { projectId: "prj_1", actor: "jo@example.com" };

test("what a project leaves out is the default, also after a restart, and other projects are left alone", async () => {
  const { states, reopen } = await open();
  expect(states.settings("prj_1")).toBe(defaultSettings);
  await states.change({
    ...who,
    settings: { retention_days: 7, limits: { session: { per_minute: 5 } } },
  });
  for (const each of [states, await reopen()]) {
    const settings = each.settings("prj_1");
    expect(settings).toEqual({
      ...defaultSettings,
      retention_days: 7,
      limits: { ...defaultSettings.limits, session: { quota: 5, windowMs: 60_000, burst: 5 } },
    });
    expect(each.settings("prj_2")).toBe(defaultSettings);
  }
});

test("the audit has what was set before and what is set now", async () => {
  const { states, database } = await open();
  await states.change({ ...who, settings: { retention_days: 7 } });
  const actor = { actor: who.actor, requestId: "req_1" };
  await states.change({ ...who, actor, settings: { retention_days: 8 } });
  const lines = await database.selectFrom("audit").selectAll().orderBy("n").execute();
  expect(lines.at(-1)).toMatchObject({
    actor: "jo@example.com",
    event: "project.settings_changed",
    target: "prj_1",
    request_id: "req_1",
    detail: JSON.stringify({ before: { retention_days: 7 }, after: { retention_days: 8 } }),
  });
});

test("a change that could not be written changes nothing", async () => {
  const { states, off } = await open((store) => ({
    ...store,
    saveSettings: () => Promise.reject(new Error("disk full")),
    saveSwitch: () => Promise.reject(new Error("disk full")),
  }));
  await expect(states.change({ ...who, settings: { retention_days: 7 } })).rejects.toThrow("disk");
  await expect(states.switch({ ...who, isOn: false })).rejects.toThrow("disk");
  expect(states.settings("prj_1")).toBe(defaultSettings);
  expect(states.isProjectOff("prj_1")).toBe(false);
  expect(off).toEqual([]);
});

test("changes at the same time end in memory as they end in the database", async () => {
  const { states, reopen } = await open((store) => ({
    ...store,
    async saveSettings(options) {
      // The first write takes longest to come back.
      const saved = await store.saveSettings(options);
      for (let turn = options.settings.includes("1") ? 20 : 0; turn > 0; turn -= 1) {
        await undefined;
      }
      return saved;
    },
  }));
  await Promise.all(
    [1, 2, 3].map((days) => states.change({ ...who, settings: { retention_days: days } })),
  );
  expect(states.settings("prj_1").retention_days).toBe(3);
  expect((await reopen()).settings("prj_1")).toEqual(states.settings("prj_1"));
});

test("switching off cuts streams once it counts, and is still so after a restart", async () => {
  const { states, off, reopen } = await open();
  await states.switch({ ...who, isOn: false });
  expect(off).toEqual([{ projectId: "prj_1" }]);
  const session = { projectId: "prj_1", integrationId: null };
  expect(states.isOff(session)).toBe(true);
  expect((await reopen()).isOff(session)).toBe(true);
  expect(states.isOff({ ...session, projectId: "prj_2" })).toBe(false);
  await states.switch({ ...who, isOn: true });
  expect(states.isOff(session)).toBe(false);
  await expect(states.switch({ ...who, projectId: "prj_9", isOn: false })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("settings that cannot be read are not taken for the defaults", async () => {
  const { database, reopen } = await open();
  await database.updateTable("project").set({ settings: '{"new_limit":1}' }).execute();
  await expect(reopen()).rejects.toThrow("prj_1");
});

test("settings as they are told can be set again and mean the same", () => {
  const wire = toSettingsWire(defaultSettings);
  expect(projectSettings.parse(wire)).toEqual(defaultSettings);
});
