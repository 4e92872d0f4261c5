import { expect, test } from "vitest";
import { createSqlRevocationStore } from "../database/revocation-store.ts";
import { auditLine, impossibleLine, useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";
import type { RevocationChange, RevocationKind } from "./revocations.ts";

const startMs = 1_800_000_000_000;
const untilS = startMs / 1000 + 3600;

/** What every `RevocationStore` promises. */
export function revocationStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const store = () => createSqlRevocationStore(place.database);
  const change = (changes: Partial<RevocationChange>): RevocationChange => ({
    atMs: startMs,
    marks: [],
    block: [],
    unblock: [],
    reason: null,
    audit: [],
    ...changes,
  });
  const owner = (projectId: string, target: string) =>
    ({ projectId, kind: "owner", target }) as const;
  const mark = (projectId: string, target: string, kindOf: RevocationKind = "owner") => ({
    projectId,
    kind: kindOf,
    target,
    issuedBeforeMs: startMs - 1,
    atMs: startMs,
    untilS,
  });
  const marks = async (projectId: string, nowMs = startMs) =>
    (await store().marks(nowMs)).filter((each) => each.projectId === projectId);
  const blocks = async (projectId: string) =>
    (await store().blocks()).filter((each) => each.projectId === projectId);

  test(`${kind.name}: marks of every kind, blocks and their lines are there after the database was opened again`, async () => {
    const projectId = await place.newProject();
    const kinds: RevocationKind[] = ["owner", "visitor", "key", "project"];
    await store().apply(
      change({
        marks: kinds.map((each) => mark(projectId, "jo", each)),
        block: [owner(projectId, "jo")],
        audit: [auditLine(projectId, "owner.blocked", "owner:jo")],
      }),
    );
    await place.reopen();
    const found = await marks(projectId);
    expect(found.map((each) => each.kind).sort()).toEqual([...kinds].sort());
    expect(found[0]).toMatchObject({ target: "jo", issuedBeforeMs: startMs - 1, atMs: startMs });
    expect(await blocks(projectId)).toEqual([owner(projectId, "jo")]);
    // People stand in the audit by reference alone.
    const target = expect.stringMatching(/^owner:ref_/);
    expect(await place.audit(projectId)).toEqual([{ event: "owner.blocked", target }]);
  });

  test(`${kind.name}: a mark counts as long as a session that it could end, and no longer`, async () => {
    const projectId = await place.newProject();
    await store().apply(change({ marks: [mark(projectId, "jo")] }));
    expect(await marks(projectId, untilS * 1000)).toHaveLength(1);
    expect(await marks(projectId, (untilS + 1) * 1000)).toEqual([]);
  });

  test(`${kind.name}: of a change that cannot be written to its end nothing is there`, async () => {
    const projectId = await place.newProject();
    await store().apply(change({ block: [owner(projectId, "kim")] }));
    const broken = change({
      marks: [mark(projectId, "jo")],
      block: [owner(projectId, "jo")],
      unblock: [owner(projectId, "kim")],
      audit: [auditLine(projectId, "owner.blocked", "owner:jo"), impossibleLine(projectId)],
    });
    await expect(store().apply(broken)).rejects.toThrow();
    expect(await marks(projectId)).toEqual([]);
    expect(await blocks(projectId)).toEqual([owner(projectId, "kim")]);
    expect(await place.audit(projectId)).toEqual([]);
  });

  test(`${kind.name}: whoever is blocked twice is blocked once, and one unblocking is enough`, async () => {
    const projectId = await place.newProject();
    const block = change({ block: [owner(projectId, "jo")] });
    await Promise.all([store().apply(block), store().apply(block), store().apply(block)]);
    expect(await blocks(projectId)).toHaveLength(1);
    await store().apply(change({ unblock: [owner(projectId, "jo"), owner(projectId, "lee")] }));
    expect(await blocks(projectId)).toEqual([]);
  });

  test(`${kind.name}: an unblocking is of one project and one kind`, async () => {
    const [here, there] = [await place.newProject(), await place.newProject()];
    const visitor = { projectId: here, kind: "visitor", target: "jo" } as const;
    await store().apply(change({ block: [owner(here, "jo"), owner(there, "jo"), visitor] }));
    await store().apply(change({ unblock: [owner(here, "jo")] }));
    expect([await blocks(here), await blocks(there)]).toEqual([[visitor], [owner(there, "jo")]]);
  });

  test(`${kind.name}: changes of the same people in any order wait for each other and not in a circle`, async () => {
    const projectId = await place.newProject();
    const people = Array.from({ length: 12 }, (_, at) => owner(projectId, `p${at}`));
    const turns = Array.from({ length: 16 }, (_, at) => {
      const order = at % 2 === 0 ? people : [...people].reverse();
      return store().apply(change(at % 4 < 2 ? { block: order } : { unblock: order }));
    });
    await Promise.all(turns);
    expect([0, people.length]).toContain((await blocks(projectId)).length);
  });
}
