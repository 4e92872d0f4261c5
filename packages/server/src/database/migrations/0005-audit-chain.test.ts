import { type Kysely, Migrator, sql } from "kysely";
import { afterAll, expect, test } from "vitest";
import { ownerReference } from "../../audit/owner-reference.ts";
import { verifyAudit } from "../../audit/verify-audit.ts";
import { giveAuditSealing, passingAuditKeys } from "../audit-keys.ts";
import { createSqlAuditStore } from "../audit-store.ts";
import { migrations } from "../migrations.ts";
import type { Schema } from "../schema.ts";
import { openSqlite } from "../sqlite.ts";
import { testDatabases } from "../testing/test-databases.ts";

const drops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(drops.map((drop) => drop())));

for (const kind of await testDatabases()) {
  test(`${kind.name}: lines that were there before the chain are in it, in order and without gaps`, async () => {
    const keys = passingAuditKeys();
    const database = await emptyDatabase();
    giveAuditSealing(database, { keys });
    const migrator = new Migrator({
      db: database,
      provider: { getMigrations: async () => migrations(keys) },
    });
    await migrator.migrateTo("0004_operations");
    for (const n of [1, 3, 4, 9]) {
      await sql`insert into audit (n, at_ms, project_id, actor, event, target)
        values (${n}, ${n * 100}, 'prj_1', 'command', 'owner.blocked', ${`owner:${n}`})`.execute(
        database,
      );
    }
    expect((await migrator.migrateToLatest()).error).toBeUndefined();
    const store = createSqlAuditStore(database);
    expect(await verifyAudit(store)).toMatchObject({ ok: true, n: 4 });
    const lines = await store.after(0, 10);
    expect(lines.map(({ at_ms }) => at_ms)).toEqual([100, 300, 400, 900]);
    expect(lines.map(({ target }) => target)).toEqual(
      ["1", "3", "4", "9"].map((id) =>
        ownerReference(keys.reference, { projectId: "prj_1", kind: "owner", id }),
      ),
    );
  });

  async function emptyDatabase(): Promise<Kysely<Schema>> {
    if (kind.name === "SQLite") return openSqlite(":memory:");
    const { database, drop } = await kind.create();
    drops.push(drop);
    await sql`drop schema public cascade`.execute(database);
    await sql`create schema public`.execute(database);
    return database;
  }
}
