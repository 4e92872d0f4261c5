import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createSqlCleanUpStore } from "../database/clean-up-store.ts";
import { useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";
import { createCleanUp } from "./clean-up.ts";

const nowMs = 1_800_000_000_000;
const nowS = nowMs / 1000;
const dayS = 24 * 3600;

/** What every `CleanUpStore` promises. */
export function cleanUpStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const tables = ["session", "session_usage", "revocation", "setup_link", "change"] as const;
  let made = 0;

  /** Rows of every table: sessions that ended then, and what else was over then. */
  async function add(projectId: string, endS: number, count = 1): Promise<void> {
    const db = place.database;
    for (let at = 0; at < count; at += 1) {
      made += 1;
      const sid = `ses_${made}`;
      await db
        .insertInto("session")
        .values({
          digest: randomBytes(32),
          sid,
          project_id: projectId,
          kid: "kid",
          issued_at_ms: 0,
          expires_at_s: endS,
          policy: "{}",
        })
        .execute();
      await db
        .insertInto("session_usage")
        .values({ sid, project_id: projectId, turns: 1, model_tokens: 1, until_s: endS })
        .execute();
      await db
        .insertInto("revocation")
        .values({ at_ms: 0, project_id: projectId, kind: "session", target: sid, until_s: endS })
        .execute();
      await db
        .insertInto("setup_link")
        .values({ digest: randomBytes(32), created_at_ms: 0, expires_at_ms: endS * 1000 })
        .execute();
      await db
        .insertInto("change")
        .values({ at_ms: endS * 1000, project_id: projectId, kind: "key", target: sid })
        .execute();
    }
  }
  const count = async () => {
    const counts: Record<string, number> = {};
    for (const table of tables) {
      const { rows } = await place.database
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as("rows"))
        .executeTakeFirstOrThrow();
      counts[table] = Number(rows);
    }
    return counts;
  };
  const all = (rows: number) => Object.fromEntries(tables.map((table) => [table, rows]));
  const clean = (pause: () => Promise<void> = async () => undefined) =>
    createCleanUp({ store: createSqlCleanUpStore(place.database), now: () => nowMs, pause });

  test(`${kind.name}: what was over a day ago goes, and what is not stays`, async () => {
    const projectId = await place.newProject();
    await add(projectId, nowS - dayS - 1, 3);
    await add(projectId, nowS + 60, 2);
    expect(await clean().run()).toBe(3 * tables.length);
    expect(await count()).toEqual(all(2));
    await add(projectId, nowS - 1800);
    await clean().run();
    expect(await count()).toEqual(all(3));
  });

  test(`${kind.name}: a step takes no more than its limit, and after a stop the next one goes on`, async () => {
    const projectId = await place.newProject();
    const before = (await count()).session ?? 0;
    await add(projectId, nowS - 2 * dayS, 12);
    for (const { step } of createSqlCleanUpStore(place.database).chores) {
      const steps = [];
      while (steps.length < 9) {
        const gone = await step(nowMs, 5);
        if (gone === 0) break;
        steps.push(gone);
      }
      // Lines of a log that are kept may stand among those that a step looks at.
      expect(Math.max(...steps)).toBeLessThanOrEqual(5);
    }
    await place.reopen();
    await clean().run();
    expect(await count()).toEqual(all(before));
  });
}
