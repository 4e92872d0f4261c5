import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DataFolderInUseError, DataFolderPathError, openDataFolder } from "./data-folder.ts";
import { loadSecrets } from "./secrets.ts";

const newFolder = () => join(mkdtempSync(join(tmpdir(), "valet-")), "data");

test("a data folder belongs to one process at a time", () => {
  const path = newFolder();
  const first = openDataFolder(path);
  expect(() => openDataFolder(path)).toThrow(DataFolderInUseError);
  first.unlock();
  openDataFolder(path).unlock();
});

test("secrets are made once, readable by their owner alone, and stay the same", () => {
  const path = newFolder();
  openDataFolder(path).unlock();
  const first = loadSecrets(path);
  const file = join(path, "secrets.json");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(loadSecrets(path)).toEqual(first);
});

test("a damaged secrets file stops the server instead of ending every key", () => {
  const path = newFolder();
  openDataFolder(path).unlock();
  loadSecrets(path);
  const file = join(path, "secrets.json");
  const whole = readFileSync(file, "utf8");
  writeFileSync(file, whole.slice(0, 40));
  expect(() => loadSecrets(path)).toThrow(/damaged/);
  expect(readFileSync(file, "utf8")).toBe(whole.slice(0, 40));
});

test("a folder that lies too deep for a socket is told at once, and one near by is reached", () => {
  const deep = join(newFolder(), "d".repeat(100));
  expect(() => openDataFolder(deep)).toThrow(DataFolderPathError);
  expect(() => openDataFolder(deep)).toThrow("VALET_DATA_DIR");
  const here = process.cwd();
  const parent = mkdtempSync(join(tmpdir(), `valet-${"p".repeat(90)}-`));
  try {
    process.chdir(parent);
    const folder = openDataFolder(".valet");
    expect(folder.controlSocket).toBe(join(".valet", "control.sock"));
    folder.unlock();
  } finally {
    process.chdir(here);
  }
});
