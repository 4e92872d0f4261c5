import { createSqlApiKeyStore } from "../../database/api-key-store.ts";
import { type Database, openDatabase } from "../../database/database.ts";
import { createSqlProjectStore } from "../../database/project-store.ts";
import { ProblemError } from "../../http/problem-answer.ts";
import { createProjects } from "../../projects/projects.ts";
import type { ApiKeyStore } from "../api-key-store.ts";
import { type ApiKeys, createApiKeys } from "../api-keys.ts";

/** Keys over a real database in memory, with a clock that a test moves. */
export interface OpenKeys {
  readonly database: Database;
  readonly clock: { ms: number };
  readonly keys: ApiKeys;
  readonly projectId: string;
  /** The events of the audit that are about keys, in order. */
  events(): Promise<string[]>;
  /** Another server over the same database. */
  reopen(): Promise<ApiKeys>;
  /** What an attempt with this text comes to: the key's id, or the code of the refusal. */
  attempt(text: string, address?: string): string;
}

const secrets = {
  currentEpoch: "A",
  pepper: new Map([["A", Buffer.alloc(32, 1)]]),
  keyCopy: Buffer.alloc(32, 2),
};

/** Opens some, with a project. @param wrap Puts something between keys and store. */
export async function openKeys(
  wrap: (store: ApiKeyStore) => ApiKeyStore = (store) => store,
): Promise<OpenKeys> {
  const database = await openDatabase(":memory:");
  const clock = { ms: 1_800_000_000_000 };
  const now = () => clock.ms;
  const projects = createProjects({ store: createSqlProjectStore(database), now });
  const { id: projectId } = await projects.create({ name: "p" });
  const reopen = () => createApiKeys({ store: wrap(createSqlApiKeyStore(database)), secrets, now });
  const keys = await reopen();
  return {
    database,
    clock,
    keys,
    projectId,
    reopen,
    async events() {
      const rows = await database
        .selectFrom("audit")
        .select("event")
        .where("event", "like", "key.%")
        .orderBy("n")
        .execute();
      return rows.map(({ event }) => event);
    },
    attempt: (text, address) => attempt(keys, text, address),
  };
}

/** What an attempt with this text comes to: the key's id, or the code of the refusal. */
export function attempt(keys: ApiKeys, text: string, address?: string): string {
  try {
    return keys.verify(text, address).kid;
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}
