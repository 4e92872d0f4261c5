import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { TestDatabaseKind } from "../../packages/server/src/database/testing/test-databases.ts";
import { type Acts, checkActs, createActs } from "./crash-acts.ts";
import { type KillableServer, startKillable } from "./killable-server.ts";

/** What the rounds were worth. */
export interface CrashReport {
  /** Rounds in which a write was acknowledged and another one was under way at the kill. */
  readonly rounds: number;
  /** Writes that were acknowledged, over all rounds. */
  readonly acknowledged: number;
  /** Writes whose answer the kill took. */
  readonly cutOff: number;
}

/**
 * Kills a server with SIGKILL in the middle of its work, so often, and looks each time, in the
 * server that is started over what is left, whether all that was acknowledged is there.
 */
export async function crashRounds(kind: TestDatabaseKind, rounds: number): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), "valet-crash-"));
  const postgres = kind.name === "PostgreSQL" ? await kind.createPlace() : undefined;
  const variables = postgres ? { VALET_DATABASE_URL: postgres.place } : {};
  const acts = createActs();
  const report = { rounds: 0, acknowledged: 0, cutOff: 0 };
  try {
    for (let tries = 0; report.rounds < rounds; tries += 1) {
      // A kill may hit between two writes; that round does not count. But most must.
      expect(tries).toBeLessThan(rounds * 2 + 5);
      const server = await startKillable(join(folder, "data"), variables);
      try {
        await checkActs(acts, server);
        const { acknowledged, cutOff } = await workUntilKilled(acts, server);
        if (acknowledged > 0 && cutOff > 0) report.rounds += 1;
        report.acknowledged += acknowledged;
        report.cutOff += cutOff;
      } finally {
        server.kill();
        await server.exited;
      }
    }
    const server = await startKillable(join(folder, "data"), variables);
    try {
      await checkActs(acts, server);
    } finally {
      server.kill();
      await server.exited;
    }
    return report;
  } finally {
    await postgres?.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Six at work at the same time; the kill comes with an acknowledgement, while the others wait. */
async function workUntilKilled(
  acts: Acts,
  server: KillableServer,
): Promise<{ acknowledged: number; cutOff: number }> {
  const killAt = 10 + Math.floor(Math.random() * 40);
  let acknowledged = 0;
  let cutOff = 0;
  let isKilled = false;
  const work = Array.from({ length: 6 }, async () => {
    while (!isKilled) {
      try {
        await acts.one(server);
      } catch (error) {
        if (!isKilled) throw error;
        cutOff += 1;
        return;
      }
      acknowledged += 1;
      if (acknowledged < killAt || isKilled) continue;
      isKilled = true;
      server.kill();
    }
  });
  await Promise.all(work);
  return { acknowledged, cutOff };
}
