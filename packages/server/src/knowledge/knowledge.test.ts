import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { openDatabase } from "../database/database.ts";
import { createSqlKnowledgeStore } from "../database/knowledge-store.ts";
import { createSqlProjectStore } from "../database/project-store.ts";
import { createKnowledge, type Knowledge } from "./knowledge.ts";
import { createSearchThread } from "./search-thread.ts";

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function openKnowledge() {
  const folder = mkdtempSync(join(tmpdir(), "valet-knowledge-"));
  const docs = join(folder, "docs");
  mkdirSync(docs);
  const database = await openDatabase(":memory:");
  for (const id of ["prj_1", "prj_2"]) {
    await createSqlProjectStore(database).insert({
      id,
      team_id: null,
      name: id,
      demo: 0,
      settings: "{}",
      created_at_ms: 0,
      disabled_at_ms: null,
    });
  }
  const store = createSqlKnowledgeStore(database);
  const workers: Worker[] = [];
  const start = (file = join(folder, "index.db")): Knowledge => {
    const thread = createSearchThread({ file, onStart: (worker) => workers.push(worker) });
    const knowledge = createKnowledge({ store, thread });
    open.push(() => knowledge.close());
    return knowledge;
  };
  const write = (path: string, text: string | Buffer) => writeFileSync(join(docs, path), text);
  return { folder, docs, write, start, workers, database };
}

const ingest = (knowledge: Knowledge, path: string, baseUrl?: string) =>
  knowledge.ingest({ projectId: "prj_1", path, ...(baseUrl !== undefined && { baseUrl }) });
const search = (knowledge: Knowledge, query: string) =>
  knowledge.search({ projectId: "prj_1", query, limit: 5 });

test("reading a folder again makes the knowledge base what the folder is now", async () => {
  const { docs, write, start } = await openKnowledge();
  const knowledge = start();
  write("a.md", "# A\n\nBees feed on clover.");
  write("b.mdx", "# B\n\nPumps move water.");
  write("c.txt", "not markdown");
  expect(await ingest(knowledge, docs)).toMatchObject({ added: 2, changed: 0, removed: 0 });
  write("a.md", "# A\n\nBees feed on lavender.");
  unlinkSync(join(docs, "b.mdx"));
  expect(await ingest(knowledge, docs)).toMatchObject({ added: 0, changed: 1, removed: 1 });
  expect(await ingest(knowledge, docs)).toMatchObject({ unchanged: 1, changed: 0, removed: 0 });
  expect((await search(knowledge, "What do bees feed on?"))[0]?.quote).toContain("lavender");
  expect(await search(knowledge, "pumps water")).toEqual([]);
});

test("what cannot be read is told by code, keeps its last good text, and keeps nothing else out", async () => {
  const { docs, write, start, folder } = await openKnowledge();
  const knowledge = start();
  write("good.md", "# Good\n\nBees feed on clover.");
  write("turns-bad.md", "# Was good\n\nPumps move water.");
  await ingest(knowledge, docs);
  write("turns-bad.md", "");
  write("binary.md", Buffer.from([35, 32, 0, 1]));
  write("latin.md", Buffer.from([35, 32, 0xe9, 0xff]));
  write("huge.md", Buffer.alloc(11 * 1024 * 1024, "word "));
  const { failures, unchanged } = await ingest(knowledge, docs);
  expect(unchanged).toBe(1);
  expect(Object.fromEntries(failures.map(({ path, code }) => [path, code]))).toEqual({
    "binary.md": "file_binary",
    "huge.md": "file_too_large",
    "latin.md": "file_binary",
    "turns-bad.md": "file_empty",
  });
  expect(await search(knowledge, "pumps water")).toHaveLength(1);
  const missing = await ingest(knowledge, join(folder, "nowhere"));
  expect(missing).toMatchObject({ sourceId: null, failures: [{ code: "path_missing" }] });
});

test("hidden files, node_modules and links out of the folder are not read", async () => {
  const { docs, write, start, folder } = await openKnowledge();
  const knowledge = start();
  write("a.md", "# A\n\ntext");
  mkdirSync(join(docs, "node_modules"));
  writeFileSync(join(docs, "node_modules", "x.md"), "# X\n\ntext");
  write(".hidden.md", "# H\n\ntext");
  writeFileSync(join(folder, "outside.md"), "# Outside\n\nsecret");
  symlinkSync(join(folder, "outside.md"), join(docs, "link.md"));
  expect(await ingest(knowledge, docs)).toMatchObject({ added: 1, failures: [] });
});

test("with a base URL citations lead to the site, without one to the server", async () => {
  const { docs, write, start } = await openKnowledge();
  const knowledge = start();
  mkdirSync(join(docs, "guide"));
  write("guide/index.md", "# Guide\n\n## Feeding bees\n\nBees feed on clover.");
  write("guide/my page.md", "# Mine\n\nPumps move water.");
  await ingest(knowledge, docs);
  expect((await search(knowledge, "feeding bees"))[0]?.url).toMatch(
    /^\/sources\/doc_\w{16}#feeding-bees$/,
  );
  await ingest(knowledge, docs, "https://docs.example.com/base");
  expect((await search(knowledge, "feeding bees"))[0]?.url).toBe(
    "https://docs.example.com/base/guide/#feeding-bees",
  );
  expect((await search(knowledge, "pumps water"))[0]?.url).toBe(
    "https://docs.example.com/base/guide/my%20page#mine",
  );
});

test("two ingestions of one folder at once do not double it", async () => {
  const { docs, write, start, database } = await openKnowledge();
  const knowledge = start();
  for (let at = 0; at < 5; at += 1) write(`${at}.md`, `# ${at}\n\nclover ${at}`);
  await Promise.all([ingest(knowledge, docs), ingest(knowledge, docs)]);
  expect(await database.selectFrom("document").selectAll().execute()).toHaveLength(5);
  expect(await knowledge.listSources("prj_1")).toMatchObject([{ documents: 5 }]);
});

test("an index that is gone is made again from the database, without the files", async () => {
  const { docs, write, start, folder } = await openKnowledge();
  const first = start();
  write("a.md", "# A\n\nBees feed on clover.");
  await ingest(first, docs);
  await first.close();
  rmSync(docs, { recursive: true });
  const second = start(join(folder, "other-index.db"));
  expect((await search(second, "What do bees feed on?"))[0]?.quote).toContain("clover");
});

test("when the search thread dies its callers are told, and the next search works", async () => {
  const { docs, write, start, workers } = await openKnowledge();
  const knowledge = start();
  write("a.md", "# A\n\nBees feed on clover.");
  await ingest(knowledge, docs);
  const hit = search(knowledge, "bees clover").then(
    () => "answered",
    (error: Error) => error.message,
  );
  await workers[0]?.terminate();
  expect(["answered", "The search thread ended."]).toContain(await hit);
  expect(await search(knowledge, "bees clover")).toHaveLength(1);
  expect(workers).toHaveLength(2);
});

test("a removed source leaves nothing behind, and another project's source does not exist", async () => {
  const { docs, write, start } = await openKnowledge();
  const knowledge = start();
  write("a.md", "# A\n\nBees feed on clover.");
  const { sourceId } = await ingest(knowledge, docs);
  await expect(knowledge.removeSource("prj_2", sourceId ?? "")).rejects.toThrow("nothing here");
  await knowledge.removeSource("prj_1", sourceId ?? "");
  expect(await search(knowledge, "bees clover")).toEqual([]);
  expect(await knowledge.listSources("prj_1")).toEqual([]);
});
