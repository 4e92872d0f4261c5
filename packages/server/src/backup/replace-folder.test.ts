import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openDataFolder } from "../data-folder/data-folder.ts";
import { finishRestore, holdsData, RestoreCutOffError, replaceFolder } from "./replace-folder.ts";

const root = mkdtempSync(join(tmpdir(), "valet-replace-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const nowMs = Date.UTC(2026, 10, 24, 22, 40, 7);

let folders = 0;
function newFolder(files: Readonly<Record<string, string>>): string {
  folders += 1;
  const folder = join(root, String(folders));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}
const read = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");
const old = {
  "secrets.json": "old secrets",
  "valet.db": "old database",
  "valet.db-wal": "old log",
  "index.db": "old index",
  "control.sock": "",
};
const kept = "before-restore-2026-11-24T22-40-07Z";

function stage(folder: string) {
  const replacement = replaceFolder(folder, nowMs);
  writeFileSync(join(replacement.staging, "secrets.json"), "new secrets");
  writeFileSync(join(replacement.staging, "valet.db"), "new database");
  return replacement;
}

function expectReplaced(folder: string): void {
  expect(read(folder, "secrets.json")).toBe("new secrets");
  expect(read(folder, "valet.db")).toBe("new database");
  for (const name of ["valet.db-wal", "index.db", "restore.json", "restoring"]) {
    expect(existsSync(join(folder, name)), name).toBe(false);
  }
  expect(readdirSync(join(folder, kept)).sort()).toEqual([
    "index.db",
    "secrets.json",
    "valet.db",
    "valet.db-wal",
  ]);
  expect(read(join(folder, kept), "valet.db")).toBe("old database");
}

test("the new files are put in place and the old ones are kept", () => {
  const folder = newFolder(old);
  const replacement = stage(folder);
  replacement.commit();
  replacement.abandon();
  expectReplaced(folder);
});

test("a move that was cut off at any file is ended by the next start", () => {
  // Old files that had gone out, then new files that had come in.
  for (let out = 0; out <= 4; out += 1) {
    const folder = newFolder(old);
    stage(folder);
    writeFileSync(join(folder, "restore.json"), JSON.stringify({ phase: "out", kept }));
    mkdirSync(join(folder, kept));
    for (const name of ["secrets.json", "valet.db", "valet.db-wal", "index.db"].slice(0, out)) {
      writeFileSync(join(folder, kept, name), read(folder, name));
      rmSync(join(folder, name));
    }
    openDataFolder(folder).unlock();
    expectReplaced(folder);
  }
  for (let come = 0; come <= 2; come += 1) {
    const folder = newFolder({});
    stage(folder);
    writeFileSync(join(folder, "restore.json"), JSON.stringify({ phase: "in", kept }));
    for (const name of ["valet.db", "secrets.json"].slice(0, come)) {
      writeFileSync(join(folder, name), read(join(folder, "restoring"), name));
      rmSync(join(folder, "restoring", name));
    }
    finishRestore(folder);
    expect(read(folder, "secrets.json")).toBe("new secrets");
    expect(read(folder, "valet.db")).toBe("new database");
    expect(readdirSync(folder).sort()).toEqual(["secrets.json", "valet.db"]);
  }
});

test("a folder whose database may be another one is not opened, except by a restore", () => {
  const folder = newFolder(old);
  stage(folder).markDatabase();
  expect(() => openDataFolder(folder)).toThrow(RestoreCutOffError);
  // It lets go of the lock when it refuses.
  openDataFolder(folder, { forRestore: true }).unlock();
  expect(read(folder, "secrets.json")).toBe("old secrets");
});

test("what is abandoned leaves the folder as it was", () => {
  const folder = newFolder(old);
  const replacement = stage(folder);
  replacement.markDatabase();
  replacement.abandon();
  expect(readdirSync(folder).sort()).toEqual(Object.keys(old).sort());
  openDataFolder(folder).unlock();
  expect(holdsData(folder)).toBe(true);
});
