import { sql } from "kysely";
import { ownerReference } from "../audit/owner-reference.ts";
import type { Database } from "../database/database.ts";
import { createSqlRemovalStore } from "../database/removal-store.ts";
import { removeOwner } from "../erasure/remove-owner.ts";
import type { Snapshot } from "./snapshot.ts";

/** What was ended, disabled or blocked: what a restored backup must not bring back. */
export interface Standing {
  /** Instants from which something is over, by table. */
  readonly ends: readonly End[];
  readonly blocks: readonly BlockedRow[];
  readonly marks: readonly MarkRow[];
  readonly erasures: readonly ErasedRow[];
}

interface End {
  readonly table: EndTable;
  readonly id: string;
  readonly column: string;
  readonly atMs: number;
}

interface BlockedRow {
  readonly project_id: string;
  readonly kind: "owner" | "visitor";
  readonly target: string;
  readonly at_ms: number;
  readonly reason: string | null;
}

interface ErasedRow {
  readonly project_id: string;
  readonly owner_ref: string;
  readonly at_ms: number;
}

interface MarkRow {
  readonly at_ms: number;
  readonly project_id: string;
  readonly kind: "session" | "key" | "owner" | "visitor" | "project";
  readonly target: string;
  readonly issued_before_ms: number | null;
  readonly until_s: number;
  readonly reason: string | null;
}

/** How much of a {@link Standing} a database did not have. */
export interface CarriedOver {
  readonly keys: number;
  readonly sessions: number;
  readonly projects: number;
  readonly integrations: number;
  readonly blocks: number;
  readonly revocations: number;
  /** Owners whose data was erased again. */
  readonly owners: number;
}

type EndTable = "api_key" | "session" | "project" | "integration";

const endColumns: Readonly<Record<EndTable, { id: string; columns: readonly string[] }>> = {
  api_key: {
    id: "kid",
    columns: ["revoked_at_ms", "disabled_at_ms", "expires_at_ms", "grace_until_ms"],
  },
  session: { id: "sid", columns: ["revoked_at_ms"] },
  project: { id: "id", columns: ["disabled_at_ms"] },
  integration: { id: "id", columns: ["disabled_at_ms"] },
};

/** Reads what is over in a database, of this version or an earlier one. */
export async function readStanding(snapshot: Snapshot): Promise<Standing> {
  const columnsOf = new Map(snapshot.tables.map(({ name, columns }) => [name, columns]));
  const ends: End[] = [];
  for (const [name, { id, columns }] of Object.entries(endColumns)) {
    const table = name as EndTable;
    for (const column of columns) {
      if (!columnsOf.get(table)?.includes(column)) continue;
      const rows = await snapshot.all(
        `select ${id}, ${column} from ${table} where ${column} is not null`,
      );
      for (const [key, atMs] of rows as readonly [string, number][]) {
        ends.push({ table, id: key, column, atMs });
      }
    }
  }
  const all = async (table: string, columns: readonly string[]) => {
    if (!columnsOf.has(table)) return [];
    const rows = await snapshot.all(`select ${columns.join(", ")} from ${table}`);
    return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
  };
  return {
    ends,
    blocks: (await all("block", [
      "project_id",
      "kind",
      "target",
      "at_ms",
      "reason",
    ])) as unknown as BlockedRow[],
    marks: (await all("revocation", [
      "at_ms",
      "project_id",
      "kind",
      "target",
      "issued_before_ms",
      "until_s",
      "reason",
    ])) as unknown as MarkRow[],
    erasures: (await all("erasure", [
      "project_id",
      "owner_ref",
      "at_ms",
    ])) as unknown as ErasedRow[],
  };
}

/**
 * Ends in a restored database whatever is over in another one. The earlier instant stands; what is
 * over in both stays as it is, and nothing is ever brought back.
 */
export async function carryOver(
  database: Database,
  { ends, blocks, marks, erasures }: Standing,
  referenceKey: Buffer,
): Promise<CarriedOver> {
  const changed: Record<EndTable, Set<string>> = {
    api_key: new Set(),
    session: new Set(),
    project: new Set(),
    integration: new Set(),
  };
  for (const { table, id, column, atMs } of ends) {
    const here = sql.ref(column);
    const { numAffectedRows = 0n } = await sql`
      update ${sql.table(table)} set ${here} = ${atMs}
      where ${sql.ref(endColumns[table].id)} = ${id} and (${here} is null or ${here} > ${atMs})
    `.execute(database);
    if (numAffectedRows > 0n) changed[table].add(id);
  }
  // As a revocation does: what is over needs no copy.
  await sql`update api_key set sealed_copy = null where revoked_at_ms is not null`.execute(
    database,
  );

  const count = { blocks: 0, revocations: 0 };
  const { rows: known } = await sql<{ id: string }>`select id from project`.execute(database);
  const projects = new Set(known.map(({ id }) => id));
  for (const block of blocks) {
    if (!projects.has(block.project_id)) continue;
    const { numInsertedOrUpdatedRows = 0n } = await database
      .insertInto("block")
      .values(block)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    count.blocks += Number(numInsertedOrUpdatedRows);
  }
  for (const mark of marks) {
    if (!projects.has(mark.project_id)) continue;
    const found = await database
      .selectFrom("revocation")
      .select("seq")
      .where("project_id", "=", mark.project_id)
      .where("kind", "=", mark.kind)
      .where("target", "=", mark.target)
      .where("at_ms", "=", mark.at_ms)
      .executeTakeFirst();
    if (found) continue;
    await database.insertInto("revocation").values(mark).execute();
    count.revocations += 1;
  }
  return {
    keys: changed.api_key.size,
    sessions: changed.session.size,
    projects: changed.project.size,
    integrations: changed.integration.size,
    owners: await eraseAgain(database, erasures, referenceKey),
    ...count,
  };
}

/** Erases owners whose data the backup brought back. All of it is from before their erasure. */
async function eraseAgain(
  database: Database,
  erasures: readonly ErasedRow[],
  referenceKey: Buffer,
): Promise<number> {
  if (erasures.length === 0) return 0;
  const erased = new Map(erasures.map((row) => [`${row.project_id} ${row.owner_ref}`, row]));
  const { rows: owners } = await sql<{ project_id: string; owner: string }>`
    select project_id, owner from thread where owner is not null
    union select project_id, owner from session where owner is not null`.execute(database);
  const removal = createSqlRemovalStore(database);
  let count = 0;
  for (const { project_id: projectId, owner } of owners) {
    const reference = ownerReference(referenceKey, { projectId, kind: "owner", id: owner });
    const row = erased.get(`${projectId} ${reference}`);
    if (!row) continue;
    await removeOwner({ removal, projectId, owner });
    await database
      .deleteFrom("revocation")
      .where("project_id", "=", projectId)
      .where("kind", "=", "owner")
      .where("target", "=", owner)
      .execute();
    count += 1;
  }
  for (const row of erasures) {
    await database
      .insertInto("erasure")
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  return count;
}
