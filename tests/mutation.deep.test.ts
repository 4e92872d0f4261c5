import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { root } from "./support/programs.ts";

test("the tests of the session-token manager notice each of more than a hundred small faults", async () => {
  const child = spawn(process.execPath, ["scripts/mutate-tokens.mjs"], { cwd: root });
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
