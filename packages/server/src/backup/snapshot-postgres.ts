import pg from "pg";
import { postgresTypes } from "../database/postgres-pool.ts";
import {
  ownTables,
  parentsFirst,
  type Snapshot,
  type SnapshotTable,
  snapshotStepRows,
} from "./snapshot.ts";

const tablesQuery = `
  select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns,
    max(case when a.attidentity <> ''
      then pg_get_serial_sequence(quote_ident(c.relname), a.attname) end) as sequence
  from pg_class c join pg_attribute a on a.attrelid = c.oid
  where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
    and a.attnum > 0 and not a.attisdropped
  group by c.relname`;
const parentsQuery = `
  select child.relname as child, parent.relname as parent from pg_constraint k
  join pg_class child on child.oid = k.conrelid join pg_class parent on parent.oid = k.confrelid
  where k.contype = 'f' and child.relnamespace = current_schema()::regnamespace`;

/**
 * A snapshot of a PostgreSQL database: a read-only transaction in which every statement sees the
 * same instant, read through cursors.
 *
 * @see https://www.postgresql.org/docs/15/transaction-iso.html#XACT-REPEATABLE-READ
 */
export async function openPostgresSnapshot(url: string): Promise<Snapshot> {
  const client = new pg.Client({ connectionString: url, types: postgresTypes });
  await client.connect();
  // A connection that breaks is noticed by the next statement.
  client.on("error", () => undefined);
  try {
    await client.query("begin transaction isolation level repeatable read, read only");
    const { rows: found } = await client.query<{
      name: string;
      columns: string[];
      sequence: string | null;
    }>(tablesQuery);
    const { rows: references } = await client.query<{ child: string; parent: string }>(
      parentsQuery,
    );
    const parentsOf = new Map<string, Set<string>>();
    for (const { child, parent } of references) {
      parentsOf.set(child, (parentsOf.get(child) ?? new Set()).add(parent));
    }
    const byName = new Map(found.map((table) => [table.name, table]));
    const ours = [...byName.keys()].filter((name) => !ownTables.includes(name));
    const tables: SnapshotTable[] = [];
    for (const name of parentsFirst(ours, parentsOf)) {
      const { columns = [], sequence = null } = byName.get(name) ?? {};
      tables.push({ name, columns, sequence: sequence ? await lastOf(client, sequence) : null });
    }
    const migrations = byName.has("kysely_migration")
      ? (await client.query<{ name: string }>("select name from kysely_migration order by name"))
          .rows
      : [];
    return {
      kind: "postgres",
      migrations: migrations.map(({ name }) => name),
      tables,
      async *rows({ name, columns }) {
        const list = columns.map(pg.escapeIdentifier).join(", ");
        await client.query(
          `declare valet_backup no scroll cursor for select ${list} from ${pg.escapeIdentifier(name)}`,
        );
        for (;;) {
          const text = `fetch ${snapshotStepRows} from valet_backup`;
          const { rows } = await client.query<unknown[]>({ text, rowMode: "array" });
          if (rows.length === 0) break;
          yield rows;
        }
        await client.query("close valet_backup");
      },
      all: async (text) => (await client.query<unknown[]>({ text, rowMode: "array" })).rows,
      close: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** Sequences stand outside transactions: at least every number in the snapshot is behind it. */
async function lastOf(client: pg.Client, sequence: string): Promise<number> {
  const { rows } = await client.query<{ last: number }>(
    `select case when is_called then last_value else 0 end as last from ${sequence}`,
  );
  return rows[0]?.last ?? 0;
}
