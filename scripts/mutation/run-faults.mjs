// Puts small faults into a copy of a package, one at a time, and says which of them its tests notice.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A fault: the first occurrence of `find` in a file below `src`, or where a run's `pathOf` says,
 * becomes `replace`, and so does each further pair of `also`.
 *
 * @typedef {{ name: string, file: string, find: string, replace: string, also?: [string, string][] }} Fault
 */

/**
 * Runs the tests once without a fault and once for each fault, two side by side, and prints a line
 * for each. A fault is noticed when a test has failed. One that is no program any more, or that
 * never comes to an end, shows nothing about the tests: the list is at fault, and the run fails.
 *
 * @param {object} options
 * @param {Fault[]} options.faults
 * @param {(copy: string, fault?: Fault) => string[]} options.prepare Fills an empty folder with what
 *   the tests run on, and gives the arguments of Vitest. Called without a fault first.
 * @param {(fault: Fault) => string} [options.pathOf] Where a fault's file stands in that folder.
 * @param {string} [options.only] Puts in only faults whose name contains this.
 * @param {number} [options.limitMs] How long the tests may take in all. Default 120,000.
 * @param {(fault: Fault, isNoticed: boolean) => void} [options.onVerdict]
 * @returns {Promise<boolean>} Whether each fault was noticed.
 */
export async function runFaults({
  faults,
  prepare,
  pathOf = ({ file }) => join("src", file),
  only = "",
  limitMs = 120_000,
  onVerdict = () => undefined,
}) {
  /** @returns {Promise<"noticed" | "UNNOTICED" | "NO PROGRAM" | "NO END">} */
  async function tryOut(fault, lane) {
    // Inside the repository, so that packages are found; in a folder of its own for each lane.
    const copy = join(root, ".build", `mutant-${process.pid}-${lane}`);
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy, { recursive: true });
    const args = prepare(copy, fault);
    if (fault) plant(fault, join(copy, pathOf(fault)));
    const report = join(copy, "report.json");
    const child = spawn(
      process.execPath,
      [
        join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        ...["--root", copy],
        ...["--reporter=json", `--outputFile=${report}`],
        ...args,
      ],
      // A group of its own: its workers end with it.
      { stdio: "ignore", detached: true },
    );
    let isOver = false;
    // Without a fault nothing stops at the first failure, and all tests run.
    const giveUp = setTimeout(
      () => {
        isOver = true;
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      },
      fault ? limitMs : 5 * limitMs,
    );
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
      onVerdict(fault, verdict === "noticed");
      console.log(`${verdict.padEnd(10)} ${fault.name}`);
    }
  }
  await Promise.all([lane(0), lane(1)]);
  const noticed = verdicts.filter((verdict) => verdict === "noticed").length;
  console.log(`${noticed} of ${chosen.length} faults were noticed.`);
  return chosen.length > 0 && noticed === chosen.length;
}

/**
 * Tests of one package on a copy of its sources.
 *
 * @param {object} options
 * @param {string} options.packageFolder Below the root, for example `packages/agent-core`.
 * @param {string[]} options.tests Globs from the package's folder.
 * @param {string[]} [options.exclude]
 * @param {string} [options.testName] Runs only tests whose name contains this.
 * @param {number} [options.testTimeoutMs] Default 8,000.
 * @returns {(copy: string) => string[]} What `prepare` of {@link runFaults} takes.
 */
export function copyOfPackage({
  packageFolder,
  tests,
  exclude = ["**/*.deep.test.ts"],
  testName,
  testTimeoutMs = 8_000,
}) {
  return (copy) => {
    cpSync(join(root, packageFolder, "src"), join(copy, "src"), { recursive: true });
    const settings = {
      resolve: { conditions: ["@valet/source"] },
      ssr: { resolve: { conditions: ["@valet/source"] } },
      test: { include: tests, exclude, testTimeout: testTimeoutMs, bail: 1 },
    };
    writeFileSync(
      join(copy, "vitest.config.mjs"),
      `export default ${JSON.stringify(settings, undefined, 2)};\n`,
    );
    return testName === undefined ? [] : ["-t", testName];
  };
}

function plant({ name, file, find, replace, also = [] }, path) {
  let code = readFileSync(path, "utf8");
  for (const [from, to] of [[find, replace], ...also]) {
    // So that the list keeps up with the code.
    if (!code.includes(from)) throw new Error(`${name}: its text is no longer in ${file}.`);
    code = code.replace(from, () => to);
  }
  // The copy may be a hard link: what is written through it would be written into the source.
  unlinkSync(path);
  writeFileSync(path, code);
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).testResults;
  } catch {
    return [];
  }
}
