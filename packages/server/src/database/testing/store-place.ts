import { afterAll, beforeAll } from "vitest";
import { passingAuditKeys } from "../audit-keys.ts";
import { type Database, openDatabase } from "../database.ts";
import type { NewAudit } from "../schema.ts";
import type { TestDatabaseKind, TestPlace } from "./test-databases.ts";

/** A database that the tests of one contract share; each test uses a project of its own. */
export interface StorePlace {
  /** The database as it is open now. */
  readonly database: Database;
  /** Closes it and opens it again: what is there then was durable. */
  reopen(): Promise<void>;
  /** A project that no other test uses. */
  newProject(): Promise<string>;
  /** The lines of the audit of a project, oldest first. */
  audit(projectId: string): Promise<{ event: string; target: string | null }[]>;
}

/** Makes a database before the tests of a file, and removes it behind them. */
export function useStorePlace(kind: TestDatabaseKind): StorePlace {
  let where: TestPlace;
  let database: Database;
  let projects = 0;
  const audit = { keys: passingAuditKeys() };
  beforeAll(async () => {
    where = await kind.createPlace();
    database = await openDatabase(where.place, { audit });
  });
  afterAll(async () => {
    await database.destroy();
    await where.drop();
  });
  return {
    get database() {
      return database;
    },
    async reopen() {
      await database.destroy();
      database = await openDatabase(where.place, { audit });
    },
    async newProject() {
      projects += 1;
      const id = `prj_${projects}`;
      await database
        .insertInto("project")
        .values({ id, team_id: null, name: id, demo: 0, created_at_ms: projects })
        .execute();
      return id;
    },
    audit: (projectId) =>
      database
        .selectFrom("audit")
        .select(["event", "target"])
        .where("project_id", "=", projectId)
        .orderBy("n")
        .execute(),
  };
}

/** A line of the audit about something. */
export function auditLine(projectId: string, event: string, target: string): NewAudit {
  return {
    at_ms: 1_800_000_000_000,
    project_id: projectId,
    actor: "tester",
    event,
    target,
    request_id: null,
    detail: null,
  };
}

/** A line that no database takes: whatever is written together with it must not be there. */
export function impossibleLine(projectId: string): NewAudit {
  return { ...auditLine(projectId, "never", "never"), actor: null as unknown as string };
}
