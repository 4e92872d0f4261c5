import { expect, test } from "vitest";
import { createSqlApiKeyStore } from "../database/api-key-store.ts";
import type { ApiKeyRow, NewAudit } from "../database/schema.ts";
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
      description: null,
    };
  };
  const insert = async (projectId: string): Promise<ApiKeyRow> => {
    const row = newKey(projectId);
    await store().insert(row, auditLine(projectId, "key.created", row.kid));
    return row;
  };
  const revocation = ({ kid, project_id }: ApiKeyRow, atMs: number) => ({
    projectId: project_id,
    kid,
    atMs,
    untilS: 1_800_003_600,
    audit: auditLine(project_id, "key.revoked", kid),
  });
  const change = ({ kid, project_id }: ApiKeyRow, event: string) => ({
    projectId: project_id,
    kid,
    atMs: 1_800_000_100_000,
    audit: auditLine(project_id, event, kid),
  });
  const use = ({ kid, project_id }: ApiKeyRow, atMs: number, audit: readonly NewAudit[] = []) => ({
    projectId: project_id,
    kid,
    lastUsedAtMs: atMs,
    firstUsedAtMs: atMs,
    networks: "[]",
    graceCalls: 1,
    audit,
  });
  /** Names of the keys that other servers are told to read again, in order. */
  const changes = async (projectId: string): Promise<string[]> => {
    const rows = await place.database
      .selectFrom("change")
      .select(["kind", "target"])
      .where("project_id", "=", projectId)
      .orderBy("seq")
      .execute();
    return rows.map(({ kind, target }) => `${kind} ${target}`);
  };
  const events = async (projectId: string) =>
    (await place.audit(projectId)).map(({ event }) => event);
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
    await store().use(use(nobody, 1, [auditLine(projectId, "key.used", nobody.kid)]));
    expect(await store().update({ ...change(nobody, "key.updated"), set: { name: "x" } })).toBe(
      false,
    );
    expect(await find(nobody.kid)).toBeUndefined();
    expect(await place.audit(projectId)).toEqual([]);
  });

  test(`${kind.name}: the last use never turns back, whatever the order of writes`, async () => {
    const row = await insert(await place.newProject());
    const times = [300, 100, 500, 200, 400, 450];
    await Promise.all(times.map((atMs) => store().use(use(row, atMs))));
    const used = await find(row.kid);
    expect(used?.last_used_at_ms).toBe(500);
    expect(used?.grace_calls).toBe(times.length);
    await store().use(use(row, 50));
    expect((await find(row.kid))?.first_used_at_ms).toBe(used?.first_used_at_ms);
  });

  test(`${kind.name}: of keys that are used at the same time, one that cannot be told of fails alone`, async () => {
    const projectId = await place.newProject();
    const rows = [await insert(projectId), await insert(projectId), await insert(projectId)];
    const keys = store();
    const results = await Promise.allSettled(
      rows.map((row, at) => keys.use(use(row, 100, at === 1 ? [impossibleLine(projectId)] : []))),
    );
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    const used = await Promise.all(rows.map(async ({ kid }) => (await find(kid))?.last_used_at_ms));
    expect(used).toEqual([100, null, 100]);
  });

  test(`${kind.name}: a use that cannot be told of is not written`, async () => {
    const row = await insert(await place.newProject());
    await expect(store().use(use(row, 100, [impossibleLine(row.project_id)]))).rejects.toThrow();
    expect(await find(row.kid)).toEqual(row);
  });

  test(`${kind.name}: a change of a key is written with its line and told to other servers`, async () => {
    const row = await insert(await place.newProject());
    const set = {
      name: "b",
      description: "c",
      expires_at_ms: 5,
      ip_allow: '["::1"]',
      disabled_at_ms: 6,
      grace_until_ms: 7,
      sealed_copy: null,
    };
    expect(await store().update({ ...change(row, "key.updated"), set })).toBe(true);
    await place.reopen();
    expect(await find(row.kid)).toEqual({ ...row, ...set });
    expect(await events(row.project_id)).toEqual(["key.created", "key.updated"]);
    expect(await changes(row.project_id)).toEqual([`key ${row.kid}`, `key ${row.kid}`]);
  });

  test(`${kind.name}: neither a revoked key nor one of another project is changed`, async () => {
    const row = await insert(await place.newProject());
    const other = await place.newProject();
    const foreign = { ...change(row, "key.updated"), projectId: other, set: { name: "x" } };
    expect(await store().update(foreign)).toBe(false);
    await store().revoke({ ...revocation(row, 1), projectId: other });
    await store().use({ ...use(row, 100), projectId: other });
    expect(await find(row.kid)).toEqual(row);
    await store().revoke(revocation(row, 1_800_000_100_000));
    const late = { ...change(row, "key.enabled"), set: { disabled_at_ms: null } };
    expect(await store().update(late)).toBe(false);
    expect(await events(row.project_id)).toEqual(["key.created", "key.revoked"]);
    expect(await changes(row.project_id)).toHaveLength(2);
  });

  test(`${kind.name}: of ten replacements of a key at the same time one takes place`, async () => {
    const row = await insert(await place.newProject());
    const replace = () => {
      const next = newKey(row.project_id);
      return store().replace({
        ...change(row, "key.rotated"),
        set: { replaced_by: next.kid, grace_until_ms: 9 },
        next,
        nextAudit: auditLine(row.project_id, "key.created", next.kid),
      });
    };
    const done = await Promise.all(Array.from({ length: 10 }, replace));
    expect(done.filter(Boolean)).toHaveLength(1);
    const keys = (await store().all()).filter(({ project_id }) => project_id === row.project_id);
    expect(keys).toHaveLength(2);
    expect(keys[0]?.replaced_by).toBe(keys[1]?.kid);
    expect(await events(row.project_id)).toEqual(["key.created", "key.rotated", "key.created"]);
    expect(await changes(row.project_id)).toEqual(
      [row.kid, row.kid, keys[1]?.kid].map((kid) => `key ${kid}`),
    );
  });

  test(`${kind.name}: a replacement whose lines cannot be written leaves the old key as it was`, async () => {
    const row = await insert(await place.newProject());
    const next = newKey(row.project_id);
    await expect(
      store().replace({
        ...change(row, "key.rotated"),
        set: { replaced_by: next.kid, grace_until_ms: 9 },
        next,
        nextAudit: impossibleLine(row.project_id),
      }),
    ).rejects.toThrow();
    expect(await find(row.kid)).toEqual(row);
    expect(await find(next.kid)).toBeUndefined();
  });
}
