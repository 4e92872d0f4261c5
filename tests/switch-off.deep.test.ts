import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { root } from "./support/programs.ts";

test("with any one defence switched off, the test of its threat fails", {
  timeout: 1_800_000,
}, async () => {
  const child = spawn(process.execPath, ["scripts/switch-off-defences.mjs"], { cwd: root });
  let said = "";
  for (const output of [child.stdout, child.stderr]) {
    output.on("data", (piece) => {
      said += String(piece);
    });
  }
  const status = await new Promise((resolve) => child.once("close", resolve));
  const unnoticed = said.split("\n").filter((line) => line.startsWith("UNNOTICED"));
  expect([status, unnoticed, said.includes("faults were noticed")]).toEqual([0, [], true]);
});
