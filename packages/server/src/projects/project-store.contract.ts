import { expect, test } from "vitest";
import { createSqlProjectStore } from "../database/project-store.ts";
import type { IntegrationRow } from "../database/schema.ts";
import { useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";

/** What every `ProjectStore` promises. */
export function projectStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const store = () => createSqlProjectStore(place.database);
  let made = 0;
  const integration = (projectId: string): IntegrationRow => {
    made += 1;
    return {
      id: `int_${made}`,
      project_id: projectId,
      kind: "agent",
      name: `Page ${made}`,
      created_at_ms: made,
      disabled_at_ms: null,
    };
  };

  test(`${kind.name}: integrations come in the order in which they were made, when the database is opened again`, async () => {
    const projectId = await place.newProject();
    const [first, second] = [integration(projectId), integration(projectId)];
    await store().insertIntegration(second);
    await store().insertIntegration(first);
    await place.reopen();
    expect(await store().integrations(projectId)).toEqual([first, second]);
    expect(await store().integration(projectId, first.id)).toEqual(first);
  });

  test(`${kind.name}: another project has no part in an integration`, async () => {
    const [here, there] = [await place.newProject(), await place.newProject()];
    const row = integration(here);
    await store().insertIntegration(row);
    expect(await store().integration(there, row.id)).toBeUndefined();
    expect(await store().integrations(there)).toEqual([]);
  });

  test(`${kind.name}: an integration of no project is not made`, async () => {
    const row = integration("prj_nowhere");
    await expect(store().insertIntegration(row)).rejects.toThrow();
    expect(await store().integration("prj_nowhere", row.id)).toBeUndefined();
  });
}
