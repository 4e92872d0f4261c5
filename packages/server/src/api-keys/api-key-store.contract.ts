import { expect, test } from "vitest";
import { createSqlApiKeyStore } from "../database/api-key-store.ts";
import type { ApiKeyRow } from "../database/schema.ts";
import { auditLine, impossibleLine, useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";

/** What every `ApiKeyStore` promises. */
export function apiKeyStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const store = () => createSqlApiKeyStore(place.database);
  let made = 0;
  const newKey = (projectId: string): ApiKeyRow => {
    made += 1;
    return {
      kid: `kid${String(made).padStart(9, "0")}`,
      project_id: projectId,
      name: "Ключ ключей",
      digest: Buffer.alloc(32, made),
      pepper_epoch: "A",
      scopes: "[]",
      sealed_copy: Buffer.from([0, 255, 13, 10]),
      created_at_ms: 1_800_000_000_000 + made,
      created_by: "tester",
      expires_at_ms: null,
      last_used_at_ms: null,
      revoked_at_ms: null,
      ip_allow: null,
      disabled_at_ms: null,
      replaced_by: null,
      grace_until_ms: null,
      grace_calls: 0,
      first_used_at_ms: null,
      networks: "[]",
    };
  };
  const insert = async (projectId: string): Promise<ApiKeyRow> => {
    const row = newKey(projectId);
    await store().insert(row, auditLine(projectId, "key.created", row.kid));
    return row;
  };
  const revocation = ({ kid, project_id }: ApiKeyRow, atMs: number) => ({
    kid,
    atMs,
    untilS: 1_800_003_600,
    audit: auditLine(project_id, "key.revoked", kid),
  });
  const find = async (kid: string) => (await store().all()).find((row) => row.kid === kid);
  const logged = (projectId: string) =>
    place.database
      .selectFrom("revocation")
      .select(["kind", "target", "at_ms", "until_s"])
      .where("project_id", "=", projectId)
      .execute();

  test(`${kind.name}: a key comes back as it was written, to the last byte, when the database is opened again`, async () => {
    const row = await insert(await place.newProject());
    await place.reopen();
    expect(await find(row.kid)).toEqual(row);
  });

  test(`${kind.name}: keys come in the order in which they were made`, async () => {
    const projectId = await place.newProject();
    const [first, second] = [newKey(projectId), newKey(projectId)];
    for (const row of [second, first]) {
      await store().insert(row, auditLine(projectId, "key.created", row.kid));
    }
    const kids = (await store().all()).map(({ kid }) => kid);
    expect(kids.indexOf(first.kid)).toBeLessThan(kids.indexOf(second.kid));
  });

  test(`${kind.name}: a key whose line of the audit cannot be written is not there`, async () => {
    const projectId = await place.newProject();
    const row = newKey(projectId);
    await expect(store().insert(row, impossibleLine(projectId))).rejects.toThrow();
    expect(await find(row.kid)).toBeUndefined();
    expect(await place.audit(projectId)).toEqual([]);
  });

  test(`${kind.name}: an id or a digest is taken by one key alone`, async () => {
    const projectId = await place.newProject();
    const row = await insert(projectId);
    const line = auditLine(projectId, "key.created", row.kid);
    await expect(store().insert({ ...newKey(projectId), kid: row.kid }, line)).rejects.toThrow();
    await expect(
      store().insert({ ...newKey(projectId), digest: row.digest }, line),
    ).rejects.toThrow();
    expect(await place.audit(projectId)).toHaveLength(1);
  });

  test(`${kind.name}: a revocation ends the key, takes its copy and is logged, for good`, async () => {
    const row = await insert(await place.newProject());
    await store().revoke(revocation(row, 1_800_000_100_000));
    await place.reopen();
    expect(await find(row.kid)).toEqual({
      ...row,
      revoked_at_ms: 1_800_000_100_000,
      sealed_copy: null,
    });
    expect(await logged(row.project_id)).toEqual([
      { kind: "key", target: row.kid, at_ms: 1_800_000_100_000, until_s: 1_800_003_600 },
    ]);
  });

  test(`${kind.name}: ten revocations of a key at the same time are one`, async () => {
    const row = await insert(await place.newProject());
    await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        store().revoke(revocation(row, 1_800_000_100_000 + at)),
      ),
    );
    expect(await logged(row.project_id)).toHaveLength(1);
    const events = (await place.audit(row.project_id)).map(({ event }) => event);
    expect(events).toEqual(["key.created", "key.revoked"]);
    const [line] = await logged(row.project_id);
    expect((await find(row.kid))?.revoked_at_ms).toBe(line?.at_ms);
  });

  test(`${kind.name}: a revocation whose line cannot be written has not taken place`, async () => {
    const row = await insert(await place.newProject());
    const change = { ...revocation(row, 1_800_000_100_000), audit: impossibleLine(row.project_id) };
    await expect(store().revoke(change)).rejects.toThrow();
    expect(await find(row.kid)).toEqual(row);
    expect(await logged(row.project_id)).toEqual([]);
  });

  test(`${kind.name}: a key that is not there can be revoked and used without a trace`, async () => {
    const projectId = await place.newProject();
    const nobody = newKey(projectId);
    await store().revoke(revocation(nobody, 1));
    await store().touch(nobody.kid, 1);
    expect(await find(nobody.kid)).toBeUndefined();
    expect(await place.audit(projectId)).toEqual([]);
  });

  test(`${kind.name}: the last use never turns back, whatever the order of writes`, async () => {
    const row = await insert(await place.newProject());
    await Promise.all([300, 100, 500, 200, 400].map((atMs) => store().touch(row.kid, atMs)));
    await store().touch(row.kid, 450);
    expect((await find(row.kid))?.last_used_at_ms).toBe(500);
  });
}
