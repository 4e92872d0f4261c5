import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, expect, test } from "vitest";
import { appendAudit } from "../database/append-audit.ts";
import { auditSealingOf, giveAuditSealing } from "../database/audit-keys.ts";
import { createSqlAuditStore } from "../database/audit-store.ts";
import type { Database } from "../database/database.ts";
import { isPostgres } from "../database/dialect.ts";
import type { AuditRow } from "../database/schema.ts";
import { testDatabases } from "../database/testing/test-databases.ts";
import { hashLine } from "./audit-chain.ts";
import { auditLine } from "./audit-context.ts";
import { verifyAudit } from "./verify-audit.ts";

const drops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(drops.map((drop) => drop())));

const lineAt = (atMs: number) =>
  auditLine(
    { actor: "person:1", requestId: "req_1", address: "203.0.113.0/24", agent: "ab" },
    { atMs, event: "key.created", target: `key_${atMs}`, projectId: "prj_1", detail: { at: atMs } },
  );

/** What a writer of the database does first. */
async function dropTriggers(database: Database): Promise<void> {
  const onTable = isPostgres(database) ? sql` on audit` : sql``;
  const names = ["audit_no_update", isPostgres(database) ? "audit_no_truncate" : "audit_no_delete"];
  for (const name of names) {
    await sql`drop trigger ${sql.id(name)}${onTable}`.execute(database);
  }
}

const rowsOf = (database: Database) =>
  database.selectFrom("audit").selectAll().orderBy("n").execute();

async function setRows(database: Database, rows: readonly AuditRow[]): Promise<void> {
  await database.deleteFrom("audit").execute();
  for (const row of rows) await database.insertInto("audit").values(row).execute();
}

/** Chains lines anew from one on, as somebody would who knows how but has no key. */
function rechain(rows: readonly AuditRow[], from: number): AuditRow[] {
  const made = rows.slice(0, from);
  for (const row of rows.slice(from)) {
    const prev_hash = made.at(-1)?.hash ?? Buffer.alloc(32);
    const fields = { ...row, n: made.length + 1 };
    made.push({ ...fields, prev_hash, hash: hashLine(prev_hash, fields) });
  }
  return made;
}

for (const kind of await testDatabases()) {
  const open = async (lines: number) => {
    const { database, drop } = await kind.create();
    drops.push(drop);
    await database.transaction().execute((db) =>
      appendAudit(
        db,
        Array.from({ length: lines }, (_, at) => lineAt(at)),
      ),
    );
    return { database, store: createSqlAuditStore(database) };
  };

  test(`${kind.name}: a chain that nobody touched is whole, empty or not`, async () => {
    const { store } = await open(0);
    expect(await verifyAudit(store)).toMatchObject({ ok: true, n: 0 });
    await store.append([lineAt(1), lineAt(2)]);
    await store.append([lineAt(3)]);
    expect(await verifyAudit(store, { pageSize: 2 })).toMatchObject({ ok: true, first: 1, n: 3 });
  });

  test(`${kind.name}: lines cannot be changed or deleted`, async () => {
    const { database } = await open(2);
    const change = database.updateTable("audit").set({ event: "x" }).where("n", "=", 1);
    await expect(change.execute()).rejects.toThrow("the audit can only grow");
    const removal = database.deleteFrom("audit").where("n", "=", 2);
    await expect(removal.execute()).rejects.toThrow("the audit can only grow");
    expect(await rowsOf(database)).toHaveLength(2);
  });

  test(`${kind.name}: a line of a transaction that fails is not there, and leaves no gap`, async () => {
    const { database, store } = await open(1);
    const failing = database.transaction().execute(async (db) => {
      await appendAudit(db, [lineAt(7)]);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await store.append([lineAt(8)]);
    expect(await verifyAudit(store)).toMatchObject({ ok: true, n: 2 });
  });

  test(`${kind.name}: lines from many transactions at once make one whole chain`, async () => {
    const { database, store } = await open(0);
    await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        database
          .transaction()
          .execute((db) => appendAudit(db, at % 2 ? [lineAt(at)] : [lineAt(at), lineAt(at)])),
      ),
    );
    expect(await verifyAudit(store)).toMatchObject({ ok: true, n: 90 });
  });

  test(`${kind.name}: the verifier names the first line that any edit has touched`, async () => {
    const { database, store } = await open(12);
    await dropTriggers(database);
    const whole = await rowsOf(database);
    const at = fc.nat(whole.length - 1);
    const field = fc.constantFrom(
      { actor: "person:2" },
      { at_ms: -1 },
      { event: "key.deleted" },
      { target: null },
      { project_id: null },
      { team_id: "tem_2" },
      { request_id: "req_2" },
      { address: null },
      { agent: "cd" },
      { detail: '{"at": 1}' },
      { hash: Buffer.alloc(32, 1) },
      { prev_hash: Buffer.alloc(32, 2) },
    );
    const edit = fc.oneof(
      fc.record({ act: fc.constant("change" as const), at, field }),
      fc.record({ act: fc.constant("forge" as const), at }),
      fc.record({ act: fc.constant("delete" as const), at }),
      fc.record({ act: fc.constant("cut" as const), at }),
      fc.record({ act: fc.constant("insert" as const), at }),
      fc.record({ act: fc.constant("append" as const), at }),
      fc.record({ act: fc.constant("swap" as const), at: fc.nat(whole.length - 2) }),
    );
    await fc.assert(
      fc.asyncProperty(edit, async (edited) => {
        const rows = whole.map((row) => ({ ...row }));
        const n = edited.at + 1;
        switch (edited.act) {
          case "change":
            Object.assign(rows[edited.at] ?? {}, edited.field);
            break;
          case "forge": {
            // The line with a hash that fits it; the lines after it are left.
            const row = { ...whole[edited.at], actor: "person:2" } as AuditRow;
            rows[edited.at] = { ...row, hash: hashLine(row.prev_hash, row) };
            break;
          }
          case "delete":
            rows.splice(edited.at, 1);
            break;
          case "cut":
            rows.splice(edited.at);
            break;
          case "insert": {
            const copy = whole[edited.at] as AuditRow;
            rows.splice(edited.at, 0, { ...copy, actor: "person:2" });
            for (const [index, row] of rows.entries()) row.n = index + 1;
            break;
          }
          case "append":
            rows.push({ ...(whole[edited.at] as AuditRow), n: whole.length + 1 });
            break;
          case "swap": {
            const [one, two] = rows.slice(edited.at, edited.at + 2) as [AuditRow, AuditRow];
            rows.splice(edited.at, 2, { ...two, n: one.n }, { ...one, n: two.n });
            break;
          }
        }
        await setRows(database, rows);
        const expected = edited.act === "append" ? whole.length + 1 : n;
        expect(await verifyAudit(store, { pageSize: 5 })).toMatchObject({ ok: false, n: expected });
      }),
      { numRuns: 60 },
    );
    await setRows(database, whole);
    expect(await verifyAudit(store)).toMatchObject({ ok: true });
  });

  test(`${kind.name}: a chain written anew or cut, head and all, lacks its seal for good`, async () => {
    const { database, store } = await open(6);
    const { hash: anchor } = (await rowsOf(database))[5] as AuditRow;
    await dropTriggers(database);
    const whole = await rowsOf(database);
    const forged = whole.map((row) => (row.n === 3 ? { ...row, actor: "person:2" } : row));
    for (const rows of [rechain(forged, 2), whole.slice(0, 4)]) {
      await setRows(database, rows);
      const { n, hash } = rows.at(-1) as AuditRow;
      await database.updateTable("audit_head").set({ n, hash }).execute();
      expect(await verifyAudit(store)).toMatchObject({ ok: false, fault: "unsealed" });
      // A line that is added keeps the server going, and makes nothing good.
      const told: number[] = [];
      const { keys } = auditSealingOf(database);
      giveAuditSealing(database, { keys, onBrokenSeal: (at) => told.push(at) });
      await store.append([lineAt(99)]);
      expect(told).toEqual([n]);
      const verdict = await verifyAudit(store);
      expect(verdict).toMatchObject({ ok: false, n: n + 1, fault: "unsealed" });
      expect((await store.head()).brokenAtMs).toBe(99);
    }
    // With the line of the log that tells of line 6, the forgery has a place.
    await setRows(database, rechain(forged, 2));
    const { n, hash } = (await rowsOf(database)).at(-1) as AuditRow;
    await database.updateTable("audit_head").set({ n, hash }).execute();
    const anchors = [{ n: 6, hash: anchor.toString("hex") }];
    expect(await verifyAudit(store, { anchors })).toMatchObject({ n: 6, fault: "not_anchored" });
  });

  test(`${kind.name}: whatever characters a line has, it is read as it was hashed`, async () => {
    const { store, database } = await open(0);
    const odd = "a\0b\uD800c'\u2028\"\\";
    await store.append([
      auditLine(odd, { atMs: 1, event: "x", target: odd, detail: { [odd]: odd, 2: 1, 1: -0 } }),
    ]);
    expect(await verifyAudit(store)).toMatchObject({ ok: true, n: 1 });
    const { detail } = (await rowsOf(database))[0] as AuditRow;
    expect(JSON.stringify(JSON.parse(detail ?? ""))).toBe(detail);
  });

  test(`${kind.name}: owners and visitors stand in no line, and one has one reference`, async () => {
    const { store, database } = await open(0);
    const about = (projectId: string, target: string) =>
      auditLine("command", { atMs: 1, event: "owner.blocked", target, projectId });
    await store.append([
      about("prj_1", "owner:ada@example.com"),
      about("prj_1", "owner:ada@example.com"),
      about("prj_2", "owner:ada@example.com"),
      about("prj_1", "visitor:ada@example.com"),
      about("prj_1", "key:abc"),
    ]);
    const targets = (await rowsOf(database)).map(({ target }) => target);
    expect(JSON.stringify(targets)).not.toContain("ada");
    expect(targets[0]).toMatch(/^owner:ref_[\w-]{22}$/);
    expect(targets[1]).toBe(targets[0]);
    expect(new Set(targets).size).toBe(4);
    expect(targets[4]).toBe("key:abc");
  });
}
