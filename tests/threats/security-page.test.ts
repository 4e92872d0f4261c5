import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/programs.ts";

/** SECURITY.md and these tests say the same. */
const page = readFileSync(join(root, "SECURITY.md"), "utf8");
const rows = new Map(
  [...page.matchAll(/^\| (T\d+) \|(.*)\|$/gm)].map((row) => [row[1] ?? "", row[2] ?? ""]),
);

test("each of the threats has its row, with a test or the reason why it is open", () => {
  expect([...rows.keys()]).toEqual(Array.from({ length: 62 }, (_, at) => `T${at + 1}`));
  for (const [threat, row] of rows) {
    const isTested = /\]\([\w./-]+\.test\.tsx?\)/.test(row);
    const isOpen = /\bopen: \w/.test(row);
    expect([threat, isTested || isOpen]).toEqual([threat, true]);
  }
});

test("every file that the page links or names is there", () => {
  for (const [, target = ""] of page.matchAll(/\]\(([\w./-]+)(?:#[\w-]+)?\)/g)) {
    expect([target, existsSync(join(root, target))]).toEqual([target, true]);
  }
  for (const [, file = ""] of page.matchAll(/`([\w-]+(?:\/[\w-]+)+\.ts)`/g)) {
    expect([file, existsSync(join(root, "packages/server/src", file))]).toEqual([file, true]);
  }
});

test("every test of a threat is linked, and every threat with one has a defence that is switched off", () => {
  const defences = readFileSync(join(root, "scripts/mutation/defences.mjs"), "utf8");
  for (const file of readdirSync(join(root, "tests/threats"))) {
    const threat = /^t(\d\d)-/.exec(file)?.[1];
    if (threat === undefined || file.endsWith(".deep.test.ts")) continue;
    const name = `T${Number(threat)}`;
    expect([file, rows.get(name)?.includes(`tests/threats/${file}`)]).toEqual([file, true]);
    expect([name, defences.includes(`"${name}"`)]).toEqual([name, true]);
  }
});
