import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSqlAuditStore } from "../database/audit-store.ts";
import { openDatabase } from "../database/database.ts";
import { auditLine } from "./audit-context.ts";
import { exportAudit, verifyAuditFile } from "./audit-export.ts";

const folder = mkdtempSync(join(tmpdir(), "valet-audit-"));
const path = join(folder, "audit.ndjson");
let lines: readonly string[];
let hashes: readonly string[];
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  const store = createSqlAuditStore(await openDatabase(":memory:"));
  await store.append(
    Array.from({ length: 700 }, (_, at) =>
      auditLine("person:1", {
        atMs: 1_800_000_000_000 + at,
        event: "key.created",
        target: `key:${at}`,
        projectId: at % 2 ? "prj_1" : null,
        detail: at % 3 ? { name: `Key ${at}`, 10: 1, 9: [null, -0, 1e21] } : null,
      }),
    ),
  );
  lines = (await new Response(exportAudit(store)).text()).trimEnd().split("\n");
  hashes = lines.slice(1).map((line) => (JSON.parse(line) as { hash: string }).hash);
  const scope = { projectIds: ["prj_1"], teamIds: [] };
  const scoped = (await new Response(exportAudit(store, scope)).text()).trimEnd().split("\n");
  expect(scoped).toHaveLength(351);
  writeFileSync(join(folder, "scoped.ndjson"), scoped.join("\n"));
});

function verify(content: readonly string[], anchors: { n: number; hash: string }[] = []) {
  writeFileSync(path, `${content.join("\n")}\n`);
  return verifyAuditFile(path, anchors);
}

test("an export is whole, and so is a part of it without its first line", async () => {
  expect(lines).toHaveLength(701);
  expect(await verify(lines)).toMatchObject({ ok: true, first: 1, n: 700 });
  expect(await verify(lines.slice(300, 400))).toMatchObject({ ok: true, first: 300, n: 399 });
});

test("a line that was changed, taken out, moved or cut off is named", async () => {
  const changed = lines.with(5, (lines[5] ?? "").replace("person:1", "person:2"));
  expect(await verify(changed)).toMatchObject({ n: 5, fault: "changed" });
  const later = lines.with(5, (lines[5] ?? "").replace(/(\d)Z"/, '1Z"'));
  await expect(verify(later)).rejects.toThrow("Line 6 of the file is no line of an audit.");
  expect(await verify(lines.toSpliced(8, 1))).toMatchObject({ n: 8, fault: "missing" });
  expect(await verify(lines.toSpliced(8, 0, lines[7] ?? ""))).toMatchObject({ n: 8 });
  const moved = lines.with(20, lines[21] ?? "").with(21, lines[20] ?? "");
  expect(await verify(moved)).toMatchObject({ n: 20, fault: "missing" });
  expect(await verify(lines.slice(0, -3))).toMatchObject({ n: 698, fault: "missing" });
});

test("an anchor shows what a file alone cannot", async () => {
  const anchor = { n: 350, hash: hashes[349] ?? "" };
  expect(await verify(lines, [anchor])).toMatchObject({ ok: true });
  const other = { n: 350, hash: hashes[0] ?? "" };
  expect(await verify(lines, [other])).toMatchObject({ n: 350, fault: "not_anchored" });
  expect(await verify(lines.slice(1, 100), [anchor])).toMatchObject({ n: 100, fault: "missing" });
});

test("what is no export, or one with gaps by intent, is said to be so", async () => {
  await expect(verify(["hello"])).rejects.toThrow("Line 1 of the file is no JSON.");
  await expect(verify([lines[0] ?? "", "{}"])).rejects.toThrow("Line 2 of the file");
  await expect(verifyAuditFile(join(folder, "scoped.ndjson"))).rejects.toThrow("some projects");
});
