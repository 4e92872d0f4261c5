import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { root } from "./support/programs.ts";

/** Runs the script; its status, and each line that is not about a fault that was noticed. */
async function mutate(...options: string[]): Promise<[status: unknown, lines: string[]]> {
  const child = spawn(process.execPath, ["scripts/mutate-tokens.mjs", ...options], { cwd: root });
  let said = "";
  for (const output of [child.stdout, child.stderr]) {
    output.on("data", (piece) => {
      said += String(piece);
    });
  }
  const status = await new Promise((resolve) => child.once("close", resolve));
  const lines = said.split("\n").filter((line) => line !== "" && !line.startsWith("noticed "));
  return [status, lines];
}

test("the tests of the session-token manager notice each of some hundred and eighty small faults", async () => {
  const [status, lines] = await mutate();
  expect([status, lines]).toEqual([0, [expect.stringMatching(/^(\d+) of \1 faults were noticed/)]]);
}, 1_200_000);

test("the random sequences alone notice a fault for each invariant", async () => {
  const [status, lines] = await mutate("--machine");
  expect([status, lines]).toEqual([0, [expect.stringMatching(/^(\d+) of \1 faults were noticed/)]]);
}, 1_200_000);
