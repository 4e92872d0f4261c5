#!/usr/bin/env node
// `node examples/write-lock.mjs <name>`: the example's lock file anew. It names no registry, and has
// no checksum of our own packages, which change with every build.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "../scripts/build.mjs";

const folder = fileURLToPath(new URL(process.argv[2] ?? "", import.meta.url));
await build((line) => console.log(line));
const { status } = spawnSync(
  "npm",
  ["install", "--package-lock-only", "--omit-lockfile-registry-resolved"],
  { cwd: folder, stdio: "inherit" },
);
if (status !== 0) process.exit(status ?? 1);
const file = `${folder}/package-lock.json`;
const lock = JSON.parse(readFileSync(file, "utf8"));
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path.startsWith("node_modules/@valet/")) delete entry.integrity;
}
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
