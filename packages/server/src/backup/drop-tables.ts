import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { ownTables } from "./snapshot.ts";

/**
 * Removes tables from a PostgreSQL database, with those that no backup has, and the functions that
 * their triggers call.
 *
 * @param tables Names in the current schema.
 */
export async function dropTables(database: Database, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  const { rows: functions } = await sql<{ name: string }>`
    select distinct p.proname as name from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    join pg_class c on c.oid = t.tgrelid
    where not t.tgisinternal and c.relnamespace = current_schema()::regnamespace
      and p.pronamespace = current_schema()::regnamespace
      and c.relname in (${sql.join(tables)})`.execute(database);
  for (const name of [...tables, ...ownTables]) {
    await sql`drop table if exists ${sql.table(name)} cascade`.execute(database);
  }
  for (const { name } of functions) {
    await sql`drop function if exists ${sql.id(name)} cascade`.execute(database);
  }
}
