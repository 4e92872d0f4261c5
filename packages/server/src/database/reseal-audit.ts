import type { Kysely } from "kysely";
import { hashLine, sealEnd } from "../audit/audit-chain.ts";
import { createLinesDigest } from "../audit/reseal.ts";
import { toStored } from "./append-audit.ts";
import { auditSealingOf } from "./audit-keys.ts";
import type { Database } from "./database.ts";
import type { NewAudit, Schema } from "./schema.ts";

const pageSize = 500;

/**
 * Adds a line behind everything that is there, and gives the chain a seal that fits: the one way
 * in which a broken chain gets one, and only a person asks for it. Nothing else is written to the
 * audit until it is done.
 */
export function resealAudit(
  database: Database,
  toLine: (before: string) => NewAudit,
): Promise<number> {
  const { keys } = auditSealingOf(database);
  return database.transaction().execute(async (db) => {
    // The update comes first: whoever else wants to add a line waits here.
    const head = await db
      .updateTable("audit_head")
      .set((eb) => ({ n: eb.ref("n") }))
      .where("id", "=", 1)
      .returning(["n", "hash"])
      .executeTakeFirstOrThrow();
    const { before, last } = await digestLines(db);
    // Lines may be missing at the end, or stand beyond it.
    const end = last && last.n >= head.n ? last : head;
    const fields = { ...toStored(toLine(before), keys.reference), n: end.n + 1 };
    const hash = hashLine(end.hash, fields);
    await db
      .insertInto("audit")
      .values({ ...fields, prev_hash: end.hash, hash })
      .execute();
    await db
      .updateTable("audit_head")
      .set({ n: fields.n, hash, seal: sealEnd(keys.seal, { n: fields.n, hash }) })
      .set({ broken_at_ms: null })
      .where("id", "=", 1)
      .execute();
    return fields.n;
  });
}

async function digestLines(db: Kysely<Schema>) {
  const digest = createLinesDigest();
  let last: { readonly n: number; readonly hash: Buffer } | undefined;
  for (;;) {
    const page = await db
      .selectFrom("audit")
      .selectAll()
      .where("n", ">", last?.n ?? 0)
      .orderBy("n")
      .limit(pageSize)
      .execute();
    for (const line of page) digest.add(line);
    last = page.at(-1) ?? last;
    if (page.length < pageSize) return { before: digest.hex(), last };
  }
}
