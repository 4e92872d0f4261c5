#!/usr/bin/env node
// What browsers load of the build as it stands, against its budgets. What has to be bundled first is
// measured by `npm run bench -- size`.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const budgetsKib = {
  "packages/server/public/sdk/valet-element.js": 110,
  "packages/agent-react/dist/styles.css": 6,
};

for (const [file, budget] of Object.entries(budgetsKib)) {
  const kib = gzipSync(readFileSync(file), { level: 9 }).byteLength / 1024;
  if (kib <= budget) continue;
  console.log(`${file} is ${kib.toFixed(1)} KiB compressed; its budget is ${budget} KiB.`);
  process.exitCode = 1;
}
