#!/usr/bin/env node
// Everything that can be said about the code without running it, and about the packages by
// installing them.
import { spawnSync } from "node:child_process";

const checks = [
  ["types", ["npx", "tsc", "-b"]],
  ["types of tests", ["npx", "tsc", "-p", "tsconfig.tests.json"]],
  ["types of the dashboard", ["npx", "tsc", "-p", "apps/dashboard"]],
  ["types of the demo page", ["npx", "tsc", "-p", "apps/demo/src/page"]],
  ["format and lint", ["npx", "biome", "check", "--error-on-warnings", "."]],
  ["import boundaries", ["node", "scripts/check-boundaries.mjs"]],
  ["unused code", ["npx", "knip", "--no-config-hints"]],
  ["API description", ["node", "scripts/check-openapi.mjs"]],
  // Builds what changed.
  ["packed packages", ["node", "scripts/check-packed.mjs"]],
  ["sizes", ["node", "scripts/check-sizes.mjs"]],
];

let failed = 0;
for (const [name, [command, ...args]] of checks) {
  const startedMs = Date.now();
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  if (status === 0) {
    console.log(`ok    ${name} (${seconds} s)`);
    continue;
  }
  failed += 1;
  console.log(`FAIL  ${name} (${seconds} s)\n${stdout}${stderr}`);
}
process.exit(failed === 0 ? 0 : 1);
