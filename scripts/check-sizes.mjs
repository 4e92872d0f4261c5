#!/usr/bin/env node
// What browsers load at once of the build as it stands, against its budgets. What has to be bundled
// first is measured by `npm run bench -- size`.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

const budgetsKib = {
  "packages/server/public/sdk/valet-element.js": 110,
  "packages/agent-react/dist/styles.css": 6,
};

for (const [file, budget] of Object.entries(budgetsKib)) {
  const bytes = [...withImports(file)].reduce(
    (sum, each) => sum + gzipSync(readFileSync(each), { level: 9 }).byteLength,
    0,
  );
  const kib = bytes / 1024;
  if (process.argv.includes("--print")) console.log(`${file}: ${kib.toFixed(1)} KiB`);
  if (kib <= budget) continue;
  console.log(`${file} is ${kib.toFixed(1)} KiB compressed; its budget is ${budget} KiB.`);
  process.exitCode = 1;
}

/** A file and everything that has to be there before it runs. */
function withImports(file) {
  const found = new Set([file]);
  for (const each of found) {
    if (!each.endsWith(".js")) continue;
    const text = readFileSync(each, "utf8");
    for (const [, name] of text.matchAll(/\b(?:from|import)\s*["'`](\.\/[^"'`]+\.js)["'`]/g)) {
      found.add(join(dirname(each), name));
    }
  }
  return found;
}
