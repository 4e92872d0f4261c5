#!/usr/bin/env node
// Switches off each defence of mutation/defences.mjs in a copy of the source, runs the test of its
// threat on the copy, and says which defences nobody would miss. Words after the name choose some.
import { existsSync, linkSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { defences } from "./mutation/defences.mjs";
import { root, runFaults } from "./mutation/run-faults.mjs";

const only = process.argv.slice(2);
const chosen = defences
  .filter(({ threat }) => only.length === 0 || only.includes(threat))
  .map((defence) => ({ ...defence, name: `${defence.threat} ${defence.defence}` }));
const testFiles = readdirSync(join(root, "tests/threats"));

/** The test files of a threat: `T1` is `t01-….test.ts`. */
function testsOf({ threat, test }) {
  if (test) return [test];
  const start = `t${threat.slice(1).padStart(2, "0")}-`;
  const found = testFiles.filter((name) => name.startsWith(start) && !name.includes(".deep."));
  if (found.length === 0) throw new Error(`${threat} has no test.`);
  return found.map((name) => `tests/threats/${name}`);
}

/** Sources as hard links, what is built and installed as symbolic ones. */
function fill(copy) {
  mkdirSync(join(copy, "packages"));
  for (const name of ["node_modules", "apps", "scripts", "docs", "bench"]) {
    symlinkSync(join(root, name), join(copy, name));
  }
  linkFiles(root, copy);
  linkAll(join(root, "tests"), join(copy, "tests"));
  for (const name of readdirSync(join(root, "packages"))) {
    const from = join(root, "packages", name);
    const to = join(copy, "packages", name);
    if (name !== "server") {
      symlinkSync(from, to);
      continue;
    }
    mkdirSync(to);
    linkFiles(from, to);
    linkAll(join(from, "src"), join(to, "src"));
    for (const part of ["dist", "public", "node_modules", "bin"]) {
      if (existsSync(join(from, part))) symlinkSync(join(from, part), join(to, part));
    }
  }
}

function linkFiles(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isFile()) linkSync(join(from, entry.name), join(to, entry.name));
  }
}

function linkAll(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkAll(source, target);
    else linkSync(source, target);
  }
}

const missed = new Set();
const isKept = await runFaults({
  faults: chosen,
  pathOf: ({ file }) => join("packages/server/src", file),
  prepare(copy, fault) {
    fill(copy);
    const tests = fault ? testsOf(fault) : [...new Set(chosen.flatMap(testsOf))];
    return ["--project", "threats", ...(fault ? ["--bail", "1"] : []), ...tests];
  },
  onVerdict: (fault, isNoticed) => void (isNoticed || missed.add(fault)),
});

const width = Math.max(...chosen.map(({ defence }) => defence.length));
console.log(`\n| threat | ${"without this defence".padEnd(width)} | its test |`);
for (const each of chosen) {
  const verdict = missed.has(each) ? "PASSES STILL" : "fails";
  console.log(`| ${each.threat.padEnd(6)} | ${each.defence.padEnd(width)} | ${verdict} |`);
}
process.exit(isKept ? 0 : 1);
