import { expect, test } from "vitest";
import type { SessionRow } from "../database/schema.ts";
import { createSqlSessionStore } from "../database/session-store.ts";
import { auditLine, impossibleLine, useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";

const startMs = 1_800_000_000_000;

/** What every `SessionStore` promises. */
export function sessionStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const store = () => createSqlSessionStore(place.database);
  let made = 0;
  const newRow = (projectId: string, changes: Partial<SessionRow> = {}): SessionRow => {
    made += 1;
    const digest = Buffer.alloc(32);
    digest.writeUInt32BE(made);
    return {
      digest,
      sid: `ses_${String(made).padStart(22, "0")}`,
      project_id: projectId,
      kid: `kid_of_${projectId}`,
      integration_id: null,
      owner: null,
      visitor_id: null,
      visitor_ip: null,
      issued_at_ms: startMs + made,
      expires_at_s: startMs / 1000 + 3600,
      policy: '{"origins":["https://ä.example"]}',
      metadata: null,
      revoked_at_ms: null,
      ...changes,
    };
  };
  const insert = async (projectId: string, changes?: Partial<SessionRow>): Promise<SessionRow> => {
    const row = newRow(projectId, changes);
    await store().insert(row);
    return row;
  };
  const revocation = (row: SessionRow, atMs = startMs + 5_000) => ({
    row,
    atMs,
    audit: auditLine(row.project_id, "session.revoked", row.sid),
  });
  const logged = (projectId: string) =>
    place.database
      .selectFrom("revocation")
      .select(["kind", "target", "until_s"])
      .where("project_id", "=", projectId)
      .execute();

  test(`${kind.name}: a session is found by digest and by sid, as it was written, after the database was opened again`, async () => {
    const row = await insert(await place.newProject(), { owner: "jo 😀", metadata: '{"a":1}' });
    await place.reopen();
    expect(await store().byDigest(row.digest)).toEqual(row);
    expect(await store().bySid(row.project_id, row.sid)).toEqual(row);
  });

  test(`${kind.name}: another project sees nothing of a session`, async () => {
    const row = await insert(await place.newProject(), { owner: "jo" });
    const other = await place.newProject();
    expect(await store().bySid(other, row.sid)).toBeUndefined();
    expect(await store().list({ projectId: other, owner: "jo", limit: 10 })).toEqual([]);
    expect(await store().list({ projectId: other, kid: row.kid, limit: 10 })).toEqual([]);
  });

  test(`${kind.name}: a digest or a sid is taken once`, async () => {
    const row = await insert(await place.newProject());
    await expect(store().insert(newRow(row.project_id, { sid: row.sid }))).rejects.toThrow();
    await expect(store().insert(newRow(row.project_id, { digest: row.digest }))).rejects.toThrow();
    expect(await store().list({ projectId: row.project_id, limit: 10 })).toHaveLength(1);
  });

  test(`${kind.name}: of sessions that are made at the same time, one that cannot be written fails alone`, async () => {
    const projectId = await place.newProject();
    const taken = await insert(projectId);
    const rows = Array.from({ length: 70 }, (_, at) =>
      newRow(projectId, at === 5 ? { sid: taken.sid } : {}),
    );
    const sessions = store();
    const results = await Promise.allSettled(rows.map((row) => sessions.insert(row)));
    const failed = results.flatMap(({ status }, at) => (status === "rejected" ? [at] : []));
    expect(failed).toEqual([5]);
    await place.reopen();
    for (const [at, row] of rows.entries()) {
      expect(await store().byDigest(row.digest)).toEqual(at === 5 ? undefined : row);
    }
  });

  test(`${kind.name}: sessions that are being made do not end up in the transaction of somebody else`, async () => {
    const projectId = await place.newProject();
    const row = newRow(projectId);
    const sessions = store();
    const undone = place.database.transaction().execute(async (db) => {
      const inserting = sessions.insert(row);
      await db.selectFrom("project").select("id").execute();
      await new Promise((resolve) => setImmediate(resolve));
      await db.selectFrom("project").select("id").execute();
      void inserting.catch(() => undefined);
      throw new Error("undone");
    });
    await expect(undone).rejects.toThrow("undone");
    await sessions.flush();
    expect(await store().byDigest(row.digest)).toEqual(row);
  });

  test(`${kind.name}: pages hold every session once, newest first, those of one instant too`, async () => {
    const projectId = await place.newProject();
    const rows: SessionRow[] = [];
    for (let at = 0; at < 23; at += 1) {
      rows.push(await insert(projectId, { issued_at_ms: startMs + Math.floor(at / 5) }));
    }
    const seen: SessionRow[] = [];
    while (seen.length < 100) {
      const last = seen.at(-1);
      const page = await store().list({
        projectId,
        limit: 4,
        ...(last && { before: { issuedAtMs: last.issued_at_ms, sid: last.sid } }),
      });
      if (page.length === 0) break;
      seen.push(...page);
    }
    expect(seen.map(({ sid }) => sid)).toEqual(rows.map(({ sid }) => sid).reverse());
  });

  test(`${kind.name}: a list is of one owner or of one key when it is asked to be`, async () => {
    const projectId = await place.newProject();
    const jo = await insert(projectId, { owner: "jo", kid: "a" });
    const kim = await insert(projectId, { owner: "kim", kid: "a" });
    const other = await insert(projectId, { owner: "jo", kid: "b" });
    const sids = async (options: { owner?: string; kid?: string }) =>
      (await store().list({ projectId, limit: 9, ...options })).map(({ sid }) => sid);
    expect(await sids({ owner: "jo" })).toEqual([other.sid, jo.sid]);
    expect(await sids({ kid: "a" })).toEqual([kim.sid, jo.sid]);
    expect(await sids({ owner: "jo", kid: "b" })).toEqual([other.sid]);
    expect(await sids({ owner: "nobody" })).toEqual([]);
  });

  test(`${kind.name}: sessions that were ended or are over do not count as live`, async () => {
    const projectId = await place.newProject();
    const [live, ended] = [await insert(projectId), await insert(projectId)];
    await insert(projectId, { expires_at_s: startMs / 1000 });
    await store().revoke(revocation(ended));
    expect(await store().countLive(live.kid, startMs)).toBe(1);
    expect(await store().countLive(live.kid, live.expires_at_s * 1000)).toBe(0);
  });

  test(`${kind.name}: ten ends of one session at the same time are one, and it lasts`, async () => {
    const row = await insert(await place.newProject());
    const ends = Array.from({ length: 10 }, (_, at) =>
      store().revoke(revocation(row, startMs + at)),
    );
    await Promise.all(ends);
    await place.reopen();
    const found = await store().bySid(row.project_id, row.sid);
    expect(found?.revoked_at_ms).toBeGreaterThanOrEqual(startMs);
    expect(await logged(row.project_id)).toEqual([
      { kind: "session", target: row.sid, until_s: row.expires_at_s },
    ]);
    expect(await place.audit(row.project_id)).toEqual([
      { event: "session.revoked", target: row.sid },
    ]);
  });

  test(`${kind.name}: an end whose line cannot be written has not taken place`, async () => {
    const row = await insert(await place.newProject());
    const change = { ...revocation(row), audit: impossibleLine(row.project_id) };
    await expect(store().revoke(change)).rejects.toThrow();
    expect(await store().bySid(row.project_id, row.sid)).toEqual(row);
    expect(await logged(row.project_id)).toEqual([]);
  });

  test(`${kind.name}: ended sessions are named until their time has come`, async () => {
    const row = await insert(await place.newProject());
    await store().revoke(revocation(row));
    expect(await store().revokedSids(row.expires_at_s * 1000 - 1)).toContain(row.sid);
    expect(await store().revokedSids(row.expires_at_s * 1000)).not.toContain(row.sid);
  });

  test(`${kind.name}: an owner's live sessions are those that have not expired, were not ended, and are theirs in this project`, async () => {
    const [here, there] = [await place.newProject(), await place.newProject()];
    const live = [await insert(here, { owner: "jo" }), await insert(here, { owner: "jo" })];
    const ended = await insert(here, { owner: "jo" });
    await store().revoke(revocation(ended));
    await insert(here, { owner: "jo", expires_at_s: startMs / 1000 });
    await insert(here, { owner: "kim" });
    await insert(here);
    await insert(there, { owner: "jo" });
    const found = await store().liveOfOwner(here, "jo", startMs);
    expect(found.map(({ sid }) => sid).sort()).toEqual(live.map(({ sid }) => sid).sort());
  });

  test(`${kind.name}: live sessions that have an owner are counted page by page, each once`, async () => {
    const projectId = await place.newProject();
    const expected: string[] = [];
    for (const owner of ["jo", "kim", "jo", "lee", "jo"]) {
      expected.push((await insert(projectId, { owner })).digest.toString("hex"));
    }
    await insert(projectId);
    await insert(projectId, { owner: "jo", expires_at_s: startMs / 1000 });
    await store().revoke(revocation(await insert(projectId, { owner: "jo" })));
    const seen: string[] = [];
    let after: Buffer | undefined;
    for (;;) {
      const page = await store().liveOwners({ nowMs: startMs, limit: 2, ...(after && { after }) });
      for (const row of page) {
        if (row.project_id === projectId) seen.push(row.digest.toString("hex"));
      }
      if (page.length < 2) break;
      after = page.at(-1)?.digest;
    }
    expect(seen.sort()).toEqual(expected.sort());
  });

  test(`${kind.name}: when the last live session was made is known after a restart`, async () => {
    const row = await insert(await place.newProject());
    expect(await store().latestIssuedMs(row.expires_at_s * 1000 - 1)).toBeGreaterThanOrEqual(
      row.issued_at_ms,
    );
    expect(await store().latestIssuedMs(Number.MAX_SAFE_INTEGER)).toBe(0);
  });
}
