import { type Kysely, sql } from "kysely";
import type { ApiKeyStore, KeyUse, KeyWrite } from "../api-keys/api-key-store.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";
import { isDatabaseUnavailable } from "./database-unavailable.ts";
import { createGroupCommit } from "./group-commit.ts";
import type { NewAudit, Schema } from "./schema.ts";

/** API keys in SQL. */
export function createSqlApiKeyStore(database: Database): ApiKeyStore {
  const writeUses = (group: readonly KeyUse[]) =>
    database.transaction().execute(async (db) => {
      const lines: NewAudit[] = [];
      for (const use of group) lines.push(...(await writeUse(db, use)));
      await appendAudit(db, lines);
    });
  // Keys that are used at the same time are noted together: each note alone would be a commit.
  const uses = createGroupCommit<KeyUse>(async (group) => {
    try {
      await writeUses(group);
      return [];
    } catch (error) {
      if (group.length === 1 || isDatabaseUnavailable(error)) throw error;
    }
    // One of them cannot be noted: only that one is told so.
    const problems: (Error | undefined)[] = [];
    for (const use of group) {
      problems.push(await writeUses([use]).then(() => undefined, toError));
    }
    return problems;
  });
  return {
    all: () =>
      database.selectFrom("api_key").selectAll().orderBy("created_at_ms").orderBy("kid").execute(),

    insert: (row, audit) =>
      database.transaction().execute(async (db) => {
        await db.insertInto("api_key").values(row).execute();
        await noteChange(db, { projectId: row.project_id, kid: row.kid, atMs: row.created_at_ms }, [
          audit,
        ]);
      }),

    revoke: (write) =>
      database.transaction().execute(async (db) => {
        const row = await db
          .updateTable("api_key")
          // The copy goes with the key: nobody needs to see a key that opens nothing.
          .set({ revoked_at_ms: write.atMs, sealed_copy: null })
          .where("kid", "=", write.kid)
          .where("project_id", "=", write.projectId)
          .where("revoked_at_ms", "is", null)
          .returning("kid")
          .executeTakeFirst();
        if (!row) return;
        await db
          .insertInto("revocation")
          .values({
            at_ms: write.atMs,
            project_id: write.projectId,
            kind: "key",
            target: write.kid,
            issued_before_ms: null,
            until_s: write.untilS,
            reason: null,
          })
          .execute();
        await noteChange(db, write, [write.audit]);
      }),

    update: (write) =>
      database.transaction().execute(async (db) => {
        const row = await db
          .updateTable("api_key")
          .set(write.set)
          .where("kid", "=", write.kid)
          .where("project_id", "=", write.projectId)
          .where("revoked_at_ms", "is", null)
          .returning("kid")
          .executeTakeFirst();
        if (row) await noteChange(db, write, [write.audit]);
        return row !== undefined;
      }),

    replace: (write) =>
      database.transaction().execute(async (db) => {
        const row = await db
          .updateTable("api_key")
          .set(write.set)
          .where("kid", "=", write.kid)
          .where("project_id", "=", write.projectId)
          .where("revoked_at_ms", "is", null)
          .where("replaced_by", "is", null)
          .returning("kid")
          .executeTakeFirst();
        if (!row) return false;
        await db.insertInto("api_key").values(write.next).execute();
        await noteChange(db, write, [write.audit]);
        await noteChange(db, { ...write, kid: write.next.kid }, [write.nextAudit]);
        return true;
      }),

    use: uses.add,
  };
}

const toError = (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** Writes how a key was used. @returns What the audit is to say of it. */
async function writeUse(
  db: Kysely<Schema>,
  { projectId, kid, lastUsedAtMs, firstUsedAtMs, networks, graceCalls, audit }: KeyUse,
): Promise<readonly NewAudit[]> {
  const row = await db
    .updateTable("api_key")
    .set({
      last_used_at_ms: sql<number>`case
        when coalesce(last_used_at_ms, 0) < ${lastUsedAtMs} then ${lastUsedAtMs}
        else last_used_at_ms end`,
      first_used_at_ms: sql<number>`coalesce(first_used_at_ms, ${firstUsedAtMs})`,
      networks,
      grace_calls: sql<number>`grace_calls + ${graceCalls}`,
    })
    .where("kid", "=", kid)
    .where("project_id", "=", projectId)
    .returning("kid")
    .executeTakeFirst();
  return row ? audit : [];
}

/** What other servers will read again, and what people will. */
async function noteChange(
  db: Kysely<Schema>,
  { projectId, kid, atMs }: Pick<KeyWrite, "projectId" | "kid" | "atMs">,
  audit: readonly NewAudit[],
): Promise<void> {
  await db
    .insertInto("change")
    .values({ at_ms: atMs, project_id: projectId, kind: "key", target: kid })
    .execute();
  await appendAudit(db, audit);
}
