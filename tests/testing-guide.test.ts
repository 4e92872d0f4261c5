import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pageKit from "@valet/agent-core/testing";
import * as kit from "@valet/server/testing";
import { expect, test } from "vitest";
import { cleanEnvironment, root } from "./support/programs.ts";

const page = readFileSync(join(root, "docs", "guides", "testing.md"), "utf8");
const snippets = [...page.matchAll(/```js\n([\s\S]*?)\n```/g)].map(([, code = ""]) => code);

test("the guide's test runs as it stands, against the build", () => {
  const [example] = snippets.filter((code) => code.includes("node:test"));
  // Below the repository, so that the packages are found as in a project that has installed them.
  const folder = mkdtempSync(join(root, "tests", ".guide-"));
  try {
    const file = join(folder, "billing.test.mjs");
    writeFileSync(file, example ?? "");
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--test", file], {
      encoding: "utf8",
      env: cleanEnvironment({}),
    });
    expect({ status, stdout, stderr }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/pass 1\b[\s\S]*fail 0\b/),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the guide names everything that the kits export, and nothing else", () => {
  const named = new Set(page.match(/\b(?:scripted|record|replay|test)(?:\w*(?:Server|Model))\b/g));
  expect([...named].sort()).toEqual([...Object.keys(kit), ...Object.keys(pageKit)].sort());
});
