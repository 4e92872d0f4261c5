import { expect, test } from "vitest";
import { createSqlProjectStateStore } from "../database/project-state-store.ts";
import { createSqlProjectStore } from "../database/project-store.ts";
import { auditLine, impossibleLine, useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";

/** What every `ProjectStateStore` promises. */
export function projectStateStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const store = () => createSqlProjectStateStore(place.database);
  const stateOf = async (id: string) => (await store().projects()).find((each) => each.id === id);
  const changesOf = (projectId: string) =>
    place.database
      .selectFrom("change")
      .select(["kind", "target"])
      .where("project_id", "=", projectId)
      .execute();

  async function withIntegration() {
    const projectId = await place.newProject();
    const id = `int_of_${projectId}`;
    await createSqlProjectStore(place.database).insertIntegration({
      id,
      project_id: projectId,
      kind: "agent",
      name: "Page",
      created_at_ms: 1,
      disabled_at_ms: null,
    });
    return { projectId, id };
  }

  test(`${kind.name}: settings are there when the database is opened again, with their audit and their change`, async () => {
    const projectId = await place.newProject();
    const settings = '{"retention_days":7}';
    const audit = auditLine(projectId, "project.settings_changed", projectId);
    expect(await store().saveSettings({ projectId, settings, audit })).toBe(true);
    await place.reopen();
    expect(await stateOf(projectId)).toEqual({ id: projectId, settings, disabled_at_ms: null });
    expect(await place.audit(projectId)).toEqual([{ event: audit.event, target: projectId }]);
    expect(await changesOf(projectId)).toEqual([{ kind: "project", target: projectId }]);
  });

  test(`${kind.name}: settings whose audit cannot be written are not changed`, async () => {
    const projectId = await place.newProject();
    const audit = impossibleLine(projectId);
    await expect(store().saveSettings({ projectId, settings: "{}", audit })).rejects.toThrow();
    await expect(store().saveSwitch({ projectId, isOn: false, audit })).rejects.toThrow();
    expect(await stateOf(projectId)).toMatchObject({ settings: "{}", disabled_at_ms: null });
    expect(await changesOf(projectId)).toEqual([]);
  });

  test(`${kind.name}: a switch is there when the database is opened again, and so is its way back`, async () => {
    const { projectId, id } = await withIntegration();
    const audit = auditLine(projectId, "switched", projectId);
    expect(await store().saveSwitch({ projectId, isOn: false, audit })).toBe(true);
    const switched = { projectId, integrationId: id, audit };
    expect(await store().saveSwitch({ ...switched, isOn: false })).toBe(true);
    await place.reopen();
    expect((await stateOf(projectId))?.disabled_at_ms).toBe(audit.at_ms);
    expect(await store().integrationsOff()).toContain(id);
    await store().saveSwitch({ projectId, isOn: true, audit });
    await store().saveSwitch({ ...switched, isOn: true });
    expect((await stateOf(projectId))?.disabled_at_ms).toBeNull();
    expect(await store().integrationsOff()).not.toContain(id);
  });

  test(`${kind.name}: what does not exist, or is another project's, is neither set nor switched nor told of`, async () => {
    const { id } = await withIntegration();
    const other = await place.newProject();
    const audit = auditLine(other, "switched", id);
    const foreign = { projectId: other, integrationId: id, isOn: false, audit };
    expect(await store().saveSwitch(foreign)).toBe(false);
    expect(await store().integrationsOff()).not.toContain(id);
    expect(await place.audit(other)).toEqual([]);
    const nowhere = "prj_nowhere";
    expect(await store().saveSettings({ projectId: nowhere, settings: "{}", audit })).toBe(false);
  });
}
