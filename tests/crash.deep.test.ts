import { expect, test } from "vitest";
import { testDatabases } from "../packages/server/src/database/testing/test-databases.ts";
import { crashRounds } from "./support/crash-rounds.ts";

/** Enough of them that a kill hits between any two steps of a write. */
const rounds = { SQLite: 140, PostgreSQL: 60 } as const;

for (const kind of await testDatabases()) {
  test(`${kind.name}: a server killed in the middle of its work has done all that it acknowledged, and undone none of it`, async () => {
    const report = await crashRounds(kind, rounds[kind.name]);
    expect(report.rounds).toBe(rounds[kind.name]);
    expect(report.acknowledged).toBeGreaterThan(rounds[kind.name] * 10);
  }, 3_600_000);
}
