#!/usr/bin/env node
// Builds what changed. Each step has a stamp: a hash of the content of everything it reads. A step
// whose stamp stands in `.build/` and whose outputs are there is skipped.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { packSdk } from "./pack-sdk.mjs";
import { writeStyles } from "./write-styles.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const sdk = ["protocol", "agent-core", "agent-react", "session-proxy"];
const common = [
  "package-lock.json",
  "tsconfig.base.json",
  "tsconfig.json",
  "scripts/build.mjs",
  "scripts/write-styles.mjs",
];

/** @type {{ name: string, inputs: string[], outputs: string[], run: () => void | Promise<void> }[]} */
const steps = [
  {
    name: "packages",
    inputs: [
      ...common,
      ...sdk.map((name) => `packages/${name}`),
      "packages/server",
      "apps/demo/src",
    ],
    outputs: [
      "packages/server/dist/main.js",
      "packages/agent-react/dist/inject-styles.js",
      "apps/demo/dist/main.js",
    ],
    run() {
      command("npx", ["tsc", "-b"]);
      writeStyles("packages/agent-react");
    },
  },
  {
    name: "dashboard",
    inputs: [...common, "apps/dashboard"],
    outputs: ["packages/server/public/dashboard/index.html"],
    run: () => command("npx", ["vite", "build", "apps/dashboard", "--logLevel", "warn"]),
  },
  {
    name: "demo page",
    inputs: [...common, ...sdk.slice(0, 3).map((name) => `packages/${name}/src`), "apps/demo"],
    outputs: ["apps/demo/dist/page/index.html"],
    run: () => command("npx", ["vite", "build", "apps/demo", "--logLevel", "warn"]),
  },
  {
    name: "sdk",
    inputs: [
      ...common,
      ...sdk.map((name) => `packages/${name}`),
      "packages/server",
      "apps/dashboard",
      "scripts/pack-sdk.mjs",
    ],
    outputs: ["packages/server/public/sdk/valet.js", "packages/server/public/sdk/valet-element.js"],
    run: () => packSdk(sdk),
  },
];

/**
 * Runs the steps whose inputs changed.
 *
 * @param {(line: string) => void} say Told each step that runs.
 */
export async function build(say) {
  process.chdir(root);
  mkdirSync(".build", { recursive: true });
  for (const step of steps) {
    const stampFile = join(".build", `${step.name.replace(" ", "-")}.stamp`);
    const stamp = hashOf(step.inputs);
    const done = existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
    if (done && step.outputs.every((path) => existsSync(path))) continue;
    say(`Building the ${step.name} …`);
    rmSync(stampFile, { force: true });
    await step.run();
    writeFileSync(stampFile, stamp);
  }
}

function command(name, args) {
  const { status } = spawnSync(name, args, {
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`${name} ${args.join(" ")} failed.`);
}

function hashOf(inputs) {
  const hash = createHash("sha256");
  for (const input of inputs) {
    for (const file of filesBelow(input)) {
      hash
        .update(`${relative(root, file)}\0`)
        .update(readFileSync(file))
        .update("\0");
    }
  }
  return hash.digest("hex");
}

function filesBelow(path) {
  if (!existsSync(path)) return [];
  const skipped = new Set(["node_modules", "dist", "public"]);
  const found = [];
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const child = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name)) walk(child);
      } else if (!/\.(test|contract)\.tsx?$|\.tsbuildinfo$/.test(entry.name)) found.push(child);
    }
  };
  if (statSync(path).isDirectory()) walk(path);
  else found.push(path);
  return found.sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build((line) => console.log(line));
  console.log("The build is up to date.");
}
