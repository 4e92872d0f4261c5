#!/usr/bin/env node
// Puts each fault of mutation/token-faults.mjs into a copy of agent-core, runs the tests of the
// session-token manager on the copy, and says which faults they did not notice.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tokenFaults } from "./mutation/token-faults.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const tests = ["src/session-tokens/*.test.ts"];
const exclude = ["**/*.deep.test.ts"];
const only = process.argv.slice(2).join(" ");

/** Runs the tests on a copy with one fault. Resolves with whether they noticed. */
async function isNoticed({ name, file, find, replace }, at) {
  // Inside the repository, so that packages are found; in a folder of its own for each lane.
  const copy = join(root, ".build", `mutant-${at}`);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  cpSync(join(root, "packages/agent-core/src"), join(copy, "src"), { recursive: true });
  const path = join(copy, "src", file);
  const code = readFileSync(path, "utf8");
  if (!code.includes(find)) throw new Error(`${name}: its text is no longer in ${file}.`);
  writeFileSync(
    path,
    code.replace(find, () => replace),
  );
  writeFileSync(
    join(copy, "vitest.config.mjs"),
    `const conditions = ["@valet/source"];
     export default { resolve: { conditions }, ssr: { resolve: { conditions } },
       test: { include: ${JSON.stringify(tests)}, exclude: ${JSON.stringify(exclude)}, testTimeout: 8000, bail: 1 } };`,
  );
  const child = spawn(
    process.execPath,
    [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", copy],
    { stdio: "ignore" },
  );
  const giveUp = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const status = await new Promise((resolve) => child.once("exit", resolve));
  clearTimeout(giveUp);
  rmSync(copy, { recursive: true, force: true });
  return status !== 0;
}

const faults = tokenFaults.filter(({ name }) => name.includes(only));
const unnoticed = [];
let next = 0;
async function lane(at) {
  for (let fault = faults[next]; fault; fault = faults[next]) {
    next += 1;
    const noticed = await isNoticed(fault, at);
    console.log(`${noticed ? "noticed  " : "UNNOTICED"} ${fault.name}`);
    if (!noticed) unnoticed.push(fault.name);
  }
}
const none = {
  name: "no fault",
  file: "session-tokens/lease.ts",
  find: "life / 4",
  replace: "life / 4",
};
if (await isNoticed(none, 0)) throw new Error("The tests fail without a fault.");
await Promise.all([lane(0), lane(1)]);
console.log(`${faults.length - unnoticed.length} of ${faults.length} faults were noticed.`);
process.exit(unnoticed.length === 0 ? 0 : 1);
