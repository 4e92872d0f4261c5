import { expect, test } from "vitest";
import { createSqlAuditStore } from "../database/audit-store.ts";
import { auditLine, impossibleLine, useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";

/** What every `AuditStore` promises. */
export function auditStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const store = () => createSqlAuditStore(place.database);

  test(`${kind.name}: lines stay in the order in which they were written, when the database is opened again`, async () => {
    const projectId = await place.newProject();
    for (const target of ["a", "b", "c"]) {
      await store().append([auditLine(projectId, "key.revealed", target)]);
    }
    await place.reopen();
    const targets = (await place.audit(projectId)).map(({ target }) => target);
    expect(targets).toEqual(["a", "b", "c"]);
  });

  test(`${kind.name}: thirty lines written at the same time are thirty, with a number each`, async () => {
    const projectId = await place.newProject();
    const targets = Array.from({ length: 30 }, (_, at) => String(at));
    await Promise.all(
      targets.map((target) => store().append([auditLine(projectId, "key.revealed", target)])),
    );
    const lines = await place.audit(projectId);
    expect(lines.map(({ target }) => Number(target)).sort((a, b) => a - b)).toEqual(
      targets.map(Number),
    );
  });

  test(`${kind.name}: a line that cannot be written is not half there`, async () => {
    const projectId = await place.newProject();
    await expect(store().append([impossibleLine(projectId)])).rejects.toThrow();
    expect(await place.audit(projectId)).toEqual([]);
    await store().append([auditLine(projectId, "key.revealed", "after")]);
    expect(await place.audit(projectId)).toHaveLength(1);
  });
}
