import { sql } from "kysely";
import type { Chore } from "../clean-up/clean-up.ts";
import type { Database } from "../database/database.ts";
import { isPostgres } from "../database/dialect.ts";

const dayMs = 24 * 3_600_000;

/**
 * Forgets sign-ins of people, and codes that were sent to them, a day after they were over.
 * `better-auth` itself takes away only those that somebody still presents. Its tables have to be
 * there.
 */
export function signInChores(database: Database): readonly Chore[] {
  const chore = (name: string, table: "sign_in" | "person_verification"): Chore => ({
    name,
    async step(nowMs, limit) {
      // Written by `better-auth`: an instant in PostgreSQL, its text in SQLite, which sorts alike.
      const before = new Date(nowMs - dayMs);
      const { numAffectedRows } = await sql`
        delete from ${sql.table(table)} where id in (
          select id from ${sql.table(table)}
          where "expiresAt" < ${isPostgres(database) ? before : before.toISOString()}
          limit ${limit}
        )`.execute(database);
      return Number(numAffectedRows ?? 0);
    },
  });
  return [chore("sign-ins", "sign_in"), chore("codes of people", "person_verification")];
}
