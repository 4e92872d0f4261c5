import { sql } from "kysely";
import { afterAll, expect, test } from "vitest";
import { createSqlAuditStore } from "../database/audit-store.ts";
import type { Database } from "../database/database.ts";
import { isPostgres } from "../database/dialect.ts";
import type { AuditRow } from "../database/schema.ts";
import { testDatabases } from "../database/testing/test-databases.ts";
import { hashLine } from "./audit-chain.ts";
import { auditLine } from "./audit-context.ts";
import { resealAudit } from "./reseal-audit.ts";
import { type AuditFault, verifyAudit } from "./verify-audit.ts";

const drops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(drops.map((drop) => drop())));

const lineAt = (atMs: number) =>
  auditLine("person:1", { atMs, event: "key.created", target: `key_${atMs}` });

const rowsOf = (database: Database) =>
  database.selectFrom("audit").selectAll().orderBy("n").execute();

async function setRows(database: Database, rows: readonly AuditRow[]): Promise<void> {
  await database.deleteFrom("audit").execute();
  for (const row of rows) await database.insertInto("audit").values(row).execute();
}

/** What a writer of the database does to eight lines, and what the verifier says of it. */
const breaks: readonly {
  readonly name: string;
  readonly n: number;
  readonly fault: AuditFault;
  readonly tamper: (rows: AuditRow[]) => AuditRow[];
  /** Where the end of the chain is said to be; where it was unless said. */
  readonly end?: number;
}[] = [
  {
    name: "a line changed",
    n: 3,
    fault: "changed",
    tamper: (rows) => rows.map((row) => (row.n === 3 ? { ...row, actor: "person:2" } : row)),
  },
  {
    name: "a line forged with its hash",
    n: 3,
    fault: "replaced",
    tamper: (rows) =>
      rows.map((row) => {
        if (row.n !== 3) return row;
        const forged = { ...row, actor: "person:2" };
        return { ...forged, hash: hashLine(row.prev_hash, forged) };
      }),
  },
  {
    name: "a line deleted",
    n: 4,
    fault: "missing",
    tamper: (rows) => rows.filter(({ n }) => n !== 4),
  },
  { name: "the end cut off", n: 6, fault: "missing", tamper: (rows) => rows.slice(0, 5) },
  { name: "all deleted", n: 1, fault: "missing", tamper: () => [] },
  {
    name: "a line added by hand",
    n: 9,
    fault: "added",
    tamper: (rows) => [...rows, { ...(rows[0] as AuditRow), n: 9 }],
  },
  {
    name: "the end cut off together with what says where it is",
    n: 5,
    fault: "unsealed",
    tamper: (rows) => rows.slice(0, 5),
    end: 5,
  },
];

const written: unknown[] = [];
const log = { warn: (...words: unknown[]) => void written.push(words) };

for (const kind of await testDatabases()) {
  async function open() {
    const { database, drop } = await kind.create();
    drops.push(drop);
    const store = createSqlAuditStore(database);
    await store.append(Array.from({ length: 8 }, (_, at) => lineAt(at)));
    const onTable = isPostgres(database) ? sql` on audit` : sql``;
    const other = isPostgres(database) ? "audit_no_truncate" : "audit_no_delete";
    for (const name of ["audit_no_update", other]) {
      await sql`drop trigger ${sql.id(name)}${onTable}`.execute(database);
    }
    const reseal = (reason: string) =>
      resealAudit({ store, reason, actor: { actor: "command" }, log, now: () => 99 });
    return { database, store, reseal };
  }

  test.each(breaks)(
    `${kind.name}: $name: the chain goes on behind a line that tells of it for good`,
    async ({ n, fault, tamper, end }) => {
      const { database, store, reseal } = await open();
      await setRows(database, tamper(await rowsOf(database)));
      if (end !== undefined) {
        const { hash } = (await rowsOf(database)).at(-1) as AuditRow;
        await database.updateTable("audit_head").set({ n: end, hash }).execute();
      }
      expect(await verifyAudit(store)).toEqual({ ok: false, n, fault });

      const found = await reseal("A restore went wrong.");
      const known = { n, fault, resealedBy: found.resealedBy, reason: "A restore went wrong." };
      expect(found).toEqual(known);
      expect(await verifyAudit(store, { pageSize: 3 })).toMatchObject({
        ok: true,
        breaks: [known],
      });
      expect(await store.head()).toMatchObject({ isSealed: true, brokenAtMs: null });
      await store.append([lineAt(100), lineAt(101)]);
      const verdict = await verifyAudit(store);
      expect(verdict).toMatchObject({ ok: true, n: found.resealedBy + 2, breaks: [known] });

      // Whatever is touched from now on is found: before the line, itself, and behind it.
      const rows = await rowsOf(database);
      const touched = rows.filter(({ n: at }) => at <= 2 || at >= found.resealedBy);
      for (const row of touched) {
        const changed = rows.map((each) => (each.n === row.n ? { ...each, at_ms: -1 } : each));
        await setRows(database, changed);
        expect(await verifyAudit(store), `changed ${row.n}`).toMatchObject({ ok: false });
        await setRows(
          database,
          rows.filter((each) => each.n !== row.n),
        );
        expect(await verifyAudit(store), `deleted ${row.n}`).toMatchObject({ ok: false });
      }
      await setRows(database, rows);
      expect(await verifyAudit(store)).toEqual(verdict);
    },
  );

  test(`${kind.name}: a whole chain is not resealed, and each break is one more that is told`, async () => {
    const { database, store, reseal } = await open();
    await expect(reseal("For fun.")).rejects.toMatchObject({ code: "conflict" });
    const change = async (n: number) => {
      const rows = await rowsOf(database);
      await setRows(
        database,
        rows.map((row) => (row.n === n ? { ...row, actor: "person:2" } : row)),
      );
    };
    await change(2);
    await reseal("First.");
    await store.append([lineAt(100)]);
    await change(10);
    expect(await verifyAudit(store)).toMatchObject({ ok: false, n: 10 });
    await reseal("Second.");
    expect(await verifyAudit(store)).toMatchObject({
      ok: true,
      breaks: [
        { n: 2, resealedBy: 9, reason: "First." },
        { n: 10, resealedBy: 11, reason: "Second." },
      ],
    });
    // A line of the past that is changed now takes the first line's word with it.
    await change(4);
    expect(await verifyAudit(store)).toMatchObject({ ok: false, n: 2, fault: "changed" });
  });

  test(`${kind.name}: an anchor that does not fit is no break that anybody can seal`, async () => {
    const { database, store, reseal } = await open();
    const anchor = { n: 3, hash: ((await rowsOf(database))[2] as AuditRow).hash.toString("hex") };
    const rows = await rowsOf(database);
    const forged = { ...(rows[2] as AuditRow), actor: "person:2" };
    rows[2] = { ...forged, hash: hashLine(forged.prev_hash, forged) };
    await setRows(database, rows);
    await reseal("Nothing to see.");
    expect(await verifyAudit(store)).toMatchObject({ ok: true });
    expect(await verifyAudit(store, { anchors: [anchor] })).toEqual({
      ok: false,
      n: 3,
      fault: "not_anchored",
    });
  });

  test(`${kind.name}: who has no key cannot reseal: the line alone makes nothing good`, async () => {
    const { database, store, reseal } = await open();
    const whole = await rowsOf(database);
    await setRows(
      database,
      whole.map((row) => (row.n === 3 ? { ...row, actor: "person:2" } : row)),
    );
    const { seal } = await database
      .selectFrom("audit_head")
      .select("seal")
      .executeTakeFirstOrThrow();
    await reseal("By somebody who has only the database.");
    await database.updateTable("audit_head").set({ seal }).execute();
    expect(await verifyAudit(store)).toMatchObject({ ok: false, fault: "unsealed" });
  });
}
