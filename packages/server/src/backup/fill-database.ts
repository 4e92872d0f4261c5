import { sql } from "kysely";
import type { Secrets } from "../data-folder/secrets.ts";
import { giveAuditSealing } from "../database/audit-keys.ts";
import { type Database, migrate } from "../database/database.ts";
import { isPostgres } from "../database/dialect.ts";
import { createPeople } from "../people/people.ts";
import { BackupError } from "./backup-error.ts";
import { readBackup } from "./read-backup.ts";
import type { BackupStart } from "./records.ts";
import { ownTables } from "./snapshot.ts";

/** What {@link fillDatabase} needs. */
export interface FillDatabaseOptions {
  /** An empty database; for PostgreSQL one connection with a transaction begun. */
  readonly database: Database;
  readonly file: string;
  readonly passphrase: string;
  readonly start: BackupStart;
  /** The secrets of the backup. */
  readonly secrets: Secrets;
}

const maxBoundValues = 5_000;
const maxStepRows = 200;

/**
 * Makes the tables as they were when the backup was made, puts its rows in as they are, and brings
 * the database up to date as any upgrade would.
 */
export async function fillDatabase(options: FillDatabaseOptions): Promise<void> {
  const { database, file, passphrase, start, secrets } = options;
  const isInTransaction = isPostgres(database);
  const upTo = start.migrations.at(-1);
  if (upTo === undefined) throw new BackupError("damaged", "The backup's database has no tables.");
  giveAuditSealing(database, { keys: secrets.audit });
  await migrate(database, secrets.audit, { upTo, isInTransaction });
  await createPeople({
    database,
    secret: secrets.signIn,
    baseUrl: "http://localhost",
    origins: [],
  });
  const types = await columnTypes(database);

  let isEmptied = false;
  let table: Target | undefined;
  let waiting: (readonly unknown[])[] = [];
  const write = async () => {
    if (table && waiting.length > 0) await insert(database, table, waiting);
    waiting = [];
  };
  for await (const event of readBackup(file, passphrase)) {
    switch (event.kind) {
      case "table":
        // Migrations may have made rows; what the backup has takes their place.
        if (!isEmptied) await empty(database, [...types.keys()]);
        isEmptied = true;
        table = targetOf(event.name, event.columns, types);
        if (!isInTransaction) await sql`begin`.execute(database);
        break;
      case "row":
        waiting.push(event.values);
        if (waiting.length >= (table?.stepRows ?? 1)) await write();
        break;
      case "table-end":
        await write();
        if (table && event.sequence !== null)
          await setSequence(database, table.name, event.sequence);
        if (!isInTransaction) await sql`commit`.execute(database);
        break;
    }
  }
  await migrate(database, secrets.audit, { isInTransaction });
  if (!isPostgres(database)) {
    const { rows } = await sql<{ table: string }>`pragma foreign_key_check`.execute(database);
    if (rows[0]) throw new BackupError("damaged", `Rows of ${rows[0].table} refer to nothing.`);
  }
}

interface Target {
  readonly name: string;
  readonly columns: readonly string[];
  readonly convert: readonly ((value: unknown) => unknown)[];
  readonly stepRows: number;
}

function targetOf(
  name: string,
  columns: readonly string[],
  types: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Target {
  const known = types.get(name);
  const convert = columns.map((column) => {
    const type = known?.get(column);
    if (type === undefined) {
      throw new BackupError(
        "newer_version",
        `The backup has ${name}.${column}, which this version of Valet does not know. Restore it with the version that made it, or a later one.`,
      );
    }
    return converterTo(type);
  });
  const stepRows = Math.max(1, Math.min(maxStepRows, Math.floor(maxBoundValues / columns.length)));
  return { name, columns, convert, stepRows };
}

/** What differs between the kinds: the sign-in's tables have truth values and instants. */
function converterTo(type: string): (value: unknown) => unknown {
  if (type === "boolean") return (value) => (typeof value === "number" ? value !== 0 : value);
  if (type.startsWith("timestamp")) {
    return (value) => (typeof value === "string" ? new Date(value) : value);
  }
  return (value) => {
    if (typeof value === "boolean") return value ? 1 : 0;
    return value instanceof Date ? value.toISOString() : value;
  };
}

async function insert(
  database: Database,
  { name, columns, convert }: Target,
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  const tuples = rows.map(
    (row) => sql`(${sql.join(row.map((value, at) => convert[at]?.(value) ?? null))})`,
  );
  const names = sql.join(columns.map((column) => sql.ref(column)));
  await sql`insert into ${sql.table(name)} (${names}) values ${sql.join(tuples)}`.execute(database);
}

/** Types of the columns of every table but those that no backup has. */
async function columnTypes(database: Database): Promise<Map<string, Map<string, string>>> {
  const { rows } = await (isPostgres(database)
    ? sql<{ table: string; column: string; type: string }>`
        select table_name as "table", column_name as "column", data_type as "type"
        from information_schema.columns where table_schema = current_schema()`
    : sql<{ table: string; column: string; type: string }>`
        select m.name as "table", c.name as "column",
          case when lower(c.type) = 'boolean' then 'integer' else lower(c.type) end as "type"
        from sqlite_master m join pragma_table_info(m.name) c
        where m.type = 'table' and m.name not like 'sqlite~_%' escape '~'`
  ).execute(database);
  const types = new Map<string, Map<string, string>>();
  for (const { table, column, type } of rows) {
    if (ownTables.includes(table)) continue;
    types.set(table, (types.get(table) ?? new Map()).set(column, type));
  }
  return types;
}

/** Empties what migrations have filled: some tables may not be deleted from when they have rows. */
async function empty(database: Database, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(database);
    if (rows.length > 0) await sql`delete from ${sql.table(name)}`.execute(database);
  }
}

async function setSequence(database: Database, table: string, last: number): Promise<void> {
  if (!isPostgres(database)) {
    await sql`delete from sqlite_sequence where name = ${table}`.execute(database);
    await sql`insert into sqlite_sequence (name, seq) values (${table}, ${last})`.execute(database);
    return;
  }
  const { rows } = await sql<{ name: string | null; column: string }>`
    select pg_get_serial_sequence(quote_ident(${table}), attname) as name, attname as "column"
    from pg_attribute where attrelid = ${table}::regclass and attidentity <> ''`.execute(database);
  for (const { name } of rows) {
    if (name !== null && last > 0) await sql`select setval(${name}, ${last})`.execute(database);
  }
}
