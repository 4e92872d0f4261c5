import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { sql } from "kysely";
import { afterAll, expect, test } from "vitest";
import { openDatabase } from "../database/database.ts";
import { openSnapshot } from "./open-snapshot.ts";
import { checkBackup } from "./read-backup.ts";
import { writeBackup } from "./write-backup.ts";

const folder = mkdtempSync(join(tmpdir(), "valet-large-backup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = 40_000;
const rowBytes = 8_000;
const mib = 2 ** 20;

test("a backup of a database of hundreds of megabytes takes little memory and stalls nothing for long", async () => {
  const place = join(folder, "valet.db");
  const database = await openDatabase(place);
  await sql`insert into project (id, name, demo, created_at_ms) values ('p', 'P', 0, 1)`.execute(
    database,
  );
  for (let at = 0; at < rows; at += 500) {
    await database.transaction().execute(async (db) => {
      for (let row = at; row < at + 500; row += 1) {
        await sql`insert into thread (id, project_id, title, created_at_ms, updated_at_ms)
          values (${`t${row}`}, 'p', ${randomBytes(rowBytes / 2).toString("hex")}, 1, 1)`.execute(
          db,
        );
      }
    });
  }
  expect(statSync(place).size).toBeGreaterThan(300 * mib);

  let longestMs = 0;
  let most = 0;
  let lastMs = performance.now();
  const watch = setInterval(() => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const snapshot = await openSnapshot(place);
  const file = join(folder, "large.backup");
  const passphrase = "correct horse battery";
  const cost = { n: 2, r: 1, p: 1 };
  const summary = await writeBackup({ file, passphrase, snapshot, secrets: {}, cost });
  const checked = await checkBackup(file, passphrase, snapshot.migrations);
  clearInterval(watch);
  await snapshot.close();
  await database.destroy();
  expect(checked.rows.get("thread")).toBe(rows);
  console.log(
    `${Math.round(summary.bytes / mib)} MiB; longest stall ${Math.round(longestMs)} ms; memory grew by ${Math.round((most - before) / mib)} MiB`,
  );
  // A step of 50 rows and a chunk of the file; loose, because the machine may do other things.
  expect(longestMs).toBeLessThan(500);
  expect(most - before).toBeLessThan(200 * mib);
});
