#!/usr/bin/env node
// Runs the tests and closes with the plain line that every CI can read.
import { spawnSync } from "node:child_process";
import { build } from "./build.mjs";

const deep = process.argv.includes("--deep");
// Journeys and packed packages run what people run, so the build comes first.
await build((line) => console.log(line));
const projects = deep ? ["deep"] : ["units", "across"];
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
  { stdio: "inherit" },
);
process.exit(status ?? 1);
