#!/usr/bin/env node
// `npm run bench -- <name> [--json] [--quick]`. Packages that are measured beside ours have a lock file
// of their own and are installed on first use, so that nobody who builds Valet has to have them.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const names = readdirSync(here).filter((name) => existsSync(join(here, name, "main.mjs")));
const known = new Set(["--json", "--quick"]);
const [name, ...options] = process.argv.slice(2);

if (!name || !names.includes(name) || options.some((option) => !known.has(option))) {
  console.error(`Usage: npm run bench -- <name> [--json] [--quick]\nNames: ${names.join(", ")}`);
  process.exit(2);
}

run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], here, isInstalled());
run("npm", ["run", "build"], join(here, ".."), false);
const { status } = spawnSync(process.execPath, [join(here, name, "main.mjs"), ...options], {
  stdio: "inherit",
});
process.exit(status ?? 1);

/** npm writes its own copy of the lock file when it has installed it. */
function isInstalled() {
  const copy = join(here, "node_modules/.package-lock.json");
  return (
    existsSync(copy) && statSync(copy).mtimeMs >= statSync(join(here, "package-lock.json")).mtimeMs
  );
}

/** What it says goes to standard error: standard output is for figures. */
function run(command, args, cwd, isDone) {
  if (isDone) return;
  const { status } = spawnSync(command, args, { cwd, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
