// Puts small faults into a copy of a package, one at a time, and says which of them its tests notice.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A fault: the first occurrence of `find` in a file below `src` becomes `replace`, and so does each
 * further pair of `also`.
 *
 * @typedef {{ name: string, file: string, find: string, replace: string, also?: [string, string][] }} Fault
 */

/**
 * Runs the tests once without a fault and once for each fault, two side by side, and prints a line
 * for each. A fault is noticed when a test has failed. One that is no program any more, or that
 * never comes to an end, shows nothing about the tests: the list is at fault, and the run fails.
 *
 * @param {object} options
 * @param {string} options.packageFolder Below the root, for example `packages/agent-core`.
 * @param {Fault[]} options.faults
 * @param {string[]} options.tests Globs from the package's folder.
 * @param {string[]} [options.exclude]
 * @param {string} [options.testName] Runs only tests whose name contains this.
 * @param {string} [options.only] Puts in only faults whose name contains this.
 * @param {number} [options.testTimeoutMs] Default 8,000.
 * @param {number} [options.limitMs] How long the tests may take in all. Default 120,000.
 * @returns {Promise<boolean>} Whether each fault was noticed.
 */
export async function runFaults({
  packageFolder,
  faults,
  tests,
  exclude = ["**/*.deep.test.ts"],
  testName,
  only = "",
  testTimeoutMs = 8_000,
  limitMs = 120_000,
}) {
  /** @returns {Promise<"noticed" | "UNNOTICED" | "NO PROGRAM" | "NO END">} */
  async function tryOut(fault, lane) {
    // Inside the repository, so that packages are found; in a folder of its own for each lane.
    const copy = join(root, ".build", `mutant-${process.pid}-${lane}`);
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy, { recursive: true });
    cpSync(join(root, packageFolder, "src"), join(copy, "src"), { recursive: true });
    if (fault) plant(fault, copy);
    const report = join(copy, "report.json");
    const settings = {
      resolve: { conditions: ["@valet/source"] },
      ssr: { resolve: { conditions: ["@valet/source"] } },
      test: { include: tests, exclude, testTimeout: testTimeoutMs, bail: 1 },
    };
    writeFileSync(
      join(copy, "vitest.config.mjs"),
      `export default ${JSON.stringify(settings, undefined, 2)};\n`,
    );
    const child = spawn(
      process.execPath,
      [
        join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        ...["--root", copy],
        ...["--reporter=json", `--outputFile=${report}`],
        ...(testName === undefined ? [] : ["-t", testName]),
      ],
      { stdio: "ignore" },
    );
    let isOver = false;
    const giveUp = setTimeout(() => {
      isOver = true;
      child.kill("SIGKILL");
    }, limitMs);
    await new Promise((resolve) => child.once("exit", resolve));
    clearTimeout(giveUp);
    const results = isOver ? [] : readReport(report);
    rmSync(copy, { recursive: true, force: true });
    if (isOver) return "NO END";
    const ran = results.flatMap(({ assertionResults }) => assertionResults);
    if (ran.some(({ status }) => status === "failed")) return "noticed";
    const isWhole = results.length > 0 && results.every(({ message }) => !message);
    return isWhole && ran.some(({ status }) => status === "passed") ? "UNNOTICED" : "NO PROGRAM";
  }

  const without = await tryOut(undefined, 0);
  if (without !== "UNNOTICED") throw new Error(`Without a fault the tests say: ${without}.`);
  const chosen = faults.filter(({ name }) => name.includes(only));
  const verdicts = [];
  let next = 0;
  async function lane(at) {
    for (let fault = chosen[next]; fault; fault = chosen[next]) {
      next += 1;
      const verdict = await tryOut(fault, at);
      verdicts.push(verdict);
      console.log(`${verdict.padEnd(10)} ${fault.name}`);
    }
  }
  await Promise.all([lane(0), lane(1)]);
  const noticed = verdicts.filter((verdict) => verdict === "noticed").length;
  console.log(`${noticed} of ${chosen.length} faults were noticed.`);
  return chosen.length > 0 && noticed === chosen.length;
}

function plant({ name, file, find, replace, also = [] }, copy) {
  const path = join(copy, "src", file);
  let code = readFileSync(path, "utf8");
  for (const [from, to] of [[find, replace], ...also]) {
    // So that the list keeps up with the code.
    if (!code.includes(from)) throw new Error(`${name}: its text is no longer in ${file}.`);
    code = code.replace(from, () => to);
  }
  writeFileSync(path, code);
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).testResults;
  } catch {
    return [];
  }
}
