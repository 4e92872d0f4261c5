import { expect, test } from "vitest";
import { createSqlApiKeyStore } from "../database/api-key-store.ts";
import { type Database, openDatabase } from "../database/database.ts";
import { createSqlProjectStore } from "../database/project-store.ts";
import type { ProblemError } from "../http/problem-answer.ts";
import { createProjects } from "../projects/projects.ts";
import { createApiKey } from "./api-key-format.ts";
import { type ApiKeys, createApiKeys } from "./api-keys.ts";

const secrets = {
  currentEpoch: "A",
  pepper: new Map([["A", Buffer.alloc(32, 1)]]),
  keyCopy: Buffer.alloc(32, 2),
};

async function open(existing?: Database) {
  const database = existing ?? (await openDatabase(":memory:"));
  const clock = { ms: 1_800_000_000_000 };
  const now = () => clock.ms;
  const projects = createProjects({ store: createSqlProjectStore(database), now });
  const { id: projectId } = await projects.create({ name: "p" });
  const keys = await createApiKeys({ store: createSqlApiKeyStore(database), secrets, now });
  return { database, clock, keys, projectId };
}

function codeOf(keys: ApiKeys, text: string): string {
  try {
    return keys.verify(text).kid;
  } catch (error) {
    return (error as ProblemError).code;
  }
}

test("a key verifies for its own project, also after a restart", async () => {
  const { database, keys, projectId } = await open();
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a" });
  expect(keys.verify(secret)).toMatchObject({ kid: row.kid, projectId });
  const again = await createApiKeys({ store: createSqlApiKeyStore(database), secrets });
  expect(again.verify(secret).projectId).toBe(projectId);
});

test("unknown, mistyped and malformed keys are told apart from nothing", async () => {
  const { keys, projectId } = await open();
  const { secret } = await keys.create({ projectId, name: "k", actor: "a" });
  const wrong = [createApiKey().text, `${secret}x`, secret.slice(1), "", "agk_live_x"];
  for (const text of wrong) expect(codeOf(keys, text)).toBe("invalid_api_key");
});

test("a revoked key is refused at once and after a restart, and its copy is gone", async () => {
  const { database, keys, projectId } = await open();
  const { row, secret } = await keys.create({ projectId, name: "k", keepCopy: true, actor: "a" });
  expect(keys.reveal(projectId, row.kid)).toBe(secret);
  await keys.revoke({ projectId, kid: row.kid, actor: "a" });
  await keys.revoke({ projectId, kid: row.kid, actor: "a" });
  expect(codeOf(keys, secret)).toBe("key_revoked");
  expect(keys.refusesSessions(row.kid)).toBe(true);
  expect(() => keys.reveal(projectId, row.kid)).toThrow("No copy");
  const again = await createApiKeys({ store: createSqlApiKeyStore(database), secrets });
  expect(codeOf(again, secret)).toBe("key_revoked");
  const events = await database
    .selectFrom("audit")
    .select("event")
    .where("event", "like", "key.%")
    .execute();
  expect(events.map(({ event }) => event)).toEqual(["key.created", "key.revoked"]);
});

test("a key of another project does not exist", async () => {
  const { keys, projectId } = await open();
  const { row } = await keys.create({ projectId, name: "k", actor: "a" });
  expect(() => keys.get("prj_other", row.kid)).toThrow("nothing here");
  await expect(keys.revoke({ projectId: "prj_other", kid: row.kid, actor: "a" })).rejects.toThrow(
    "nothing here",
  );
});

test("neither a key nor its copy can be read out of the database", async () => {
  const { database, keys, projectId } = await open();
  const { secret } = await keys.create({ projectId, name: "k", keepCopy: true, actor: "a" });
  const rows = await database.selectFrom("api_key").selectAll().execute();
  const bytes = Buffer.concat(
    rows.flatMap((row) => [row.digest, row.sealed_copy ?? Buffer.alloc(0)]),
  );
  expect(JSON.stringify(rows) + bytes.toString("latin1")).not.toContain(secret.slice(22, 65));
});

test("a copy does not open under another key's id", async () => {
  const { database, keys, projectId } = await open();
  const one = await keys.create({ projectId, name: "1", keepCopy: true, actor: "a" });
  const two = await keys.create({ projectId, name: "2", keepCopy: true, actor: "a" });
  await database
    .updateTable("api_key")
    .set({ sealed_copy: one.row.sealed_copy })
    .where("kid", "=", two.row.kid)
    .execute();
  const again = await createApiKeys({ store: createSqlApiKeyStore(database), secrets });
  expect(again.reveal(projectId, one.row.kid)).toBe(one.secret);
  expect(() => again.reveal(projectId, two.row.kid)).toThrow();
});
