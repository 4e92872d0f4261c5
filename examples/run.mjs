#!/usr/bin/env node
// `npm run example -- <name>`: builds the SDK, installs the example with it on first use, and starts
// it against the local Valet server, which `npm start` runs.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, parseEnv } from "node:util";
import { build } from "../scripts/build.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..");
const names = readdirSync(here).filter((name) => existsSync(join(here, name, "package.json")));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    // Whose key and ids are used. `npm start` writes the default one.
    "env-file": { type: "string", default: join(root, ".valet/demo.env") },
    port: { type: "string" },
    "json-ready": { type: "boolean", default: false },
  },
});
const [name] = positionals;
if (!name || !names.includes(name)) {
  fail(`Usage: npm run example -- <name> [--port N] [--env-file FILE]\nNames: ${names.join(", ")}`);
}
const folder = join(here, name);
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const say = (line) => console.error(line);

if (!existsSync(values["env-file"])) {
  fail("There is no project yet. Run `npm start` in another terminal, and leave it running.");
}
const variables = parseEnv(readFileSync(values["env-file"], "utf8"));
const isUp = await fetch(`${variables.VALET_API_URL}/healthz`).then(
  (answer) => answer.ok,
  () => false,
);
if (!isUp) fail(`Nothing answers at ${variables.VALET_API_URL}. Run \`npm start\` first.`);

await build(say);
if (!isInstalled()) {
  say(`Installing ${name} …`);
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) process.exit(status ?? 1);
}

const port = values.port ?? String(manifest.config.port);
const child = spawn("npm", ["--silent", "start"], {
  cwd: folder,
  env: { ...process.env, ...variables, PORT: port },
  stdio: ["ignore", 2, 2],
  // A group of its own: what npm starts ends with it.
  detached: true,
});
const end = (signal) => {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
};
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => end("SIGTERM"));
child.once("exit", (code) => process.exit(code ?? 0));

const url = `http://localhost:${port}`;
await untilItAnswers();
console.log(values["json-ready"] ? JSON.stringify({ ready: true, url }) : `${name} is at ${url}`);

/** npm writes its own copy of the lock file when it has installed it. */
function isInstalled() {
  const copy = join(folder, "node_modules/.package-lock.json");
  const sdk = join(root, "packages/server/public/sdk");
  const inputs = [
    join(folder, "package-lock.json"),
    ...readdirSync(sdk).map((file) => join(sdk, file)),
  ];
  if (!existsSync(copy)) return false;
  const { mtimeMs } = statSync(copy);
  return inputs.every((file) => statSync(file).mtimeMs <= mtimeMs);
}

async function untilItAnswers() {
  for (;;) {
    const answers = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answers) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
