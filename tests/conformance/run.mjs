#!/usr/bin/env node
// `npm run test:conformance [-- --write]`: clients that we did not write against the real server.
// They are installed from their own lock files on first use. --write brings the table of
// docs/reference/compatibility.md up to date.
import { spawnSync } from "node:child_process";
import { build } from "../../scripts/build.mjs";

// The search runs in a worker, and the worker from what is built.
await build((line) => console.log(line));
const write = process.argv.includes("--write");
const { status } = spawnSync(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", "--project", "deep", "tests/conformance"],
  {
    stdio: "inherit",
    env: { ...process.env, ...(write && { VALET_WRITE_COMPATIBILITY: "yes" }) },
  },
);
process.exit(status ?? 1);
