#!/usr/bin/env node
// Runs the tests and closes with the plain line that every CI can read.
import { spawnSync } from "node:child_process";
import { build } from "./build.mjs";
import { findBrowser } from "./find-browser.mjs";
import { findPostgres } from "./find-postgres.mjs";

const deep = process.argv.includes("--deep");
// Journeys and packed packages run what people run, so the build comes first.
await build((line) => console.log(line));
// Found, and where needed installed, once and here: test files run side by side.
const browser = findBrowser();
const projects = deep ? ["deep"] : ["units", "across", "threats"];
if (!deep && (process.env.CI === "true" || (await findPostgres()))) projects.push("postgres");
else if (!deep) console.log("No PostgreSQL answers: the tests that need it are left out.");
const { status } = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    ...projects.flatMap((name) => ["--project", name]),
    "--reporter=default",
    "--reporter=./scripts/plain-reporter.mjs",
    ...(deep ? ["--passWithNoTests=false"] : []),
  ],
  {
    stdio: "inherit",
    env: { ...process.env, ...(browser !== undefined && { VALET_TEST_BROWSER: browser }) },
  },
);
process.exit(status ?? 1);
