#!/usr/bin/env node
// Shows that the tests of the session-token manager notice small faults in it, without its random
// sequences. With --machine those alone have to notice a fault for each invariant. A text chooses
// faults by their names.
import { machineFaults } from "./mutation/machine-faults.mjs";
import { copyOfPackage, runFaults } from "./mutation/run-faults.mjs";
import { tokenFaults } from "./mutation/token-faults.mjs";

const words = process.argv.slice(2);
const isMachine = words[0] === "--machine";
const only = words.slice(isMachine ? 1 : 0).join(" ");
const packageFolder = "packages/agent-core";
// A thousand find most of them, and not each every time. The seed makes the verdict the same on
// every machine; `VALET_TEST_SEED` chooses another.
if (isMachine) {
  process.env.VALET_TEST_SEQUENCES = "8000";
  process.env.VALET_TEST_SEED ??= "1";
}
const isKept = await (isMachine
  ? runFaults({
      only,
      faults: machineFaults,
      prepare: copyOfPackage({
        packageFolder,
        tests: ["src/session-tokens/invariants.test.ts"],
        testName: "no sequence",
        testTimeoutMs: 120_000,
      }),
      limitMs: 180_000,
    })
  : runFaults({
      only,
      faults: tokenFaults,
      prepare: copyOfPackage({
        packageFolder,
        tests: ["src/session-tokens/*.test.ts"],
        // What somebody has thought of is noticed by a test of its own, and sooner.
        exclude: ["**/*.deep.test.ts", "**/invariants.test.ts", "**/memory.test.ts"],
      }),
    }));
process.exit(isKept ? 0 : 1);
