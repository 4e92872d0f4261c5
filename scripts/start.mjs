#!/usr/bin/env node
// `npm start`: builds what changed, starts the server and the demo, and fills the demo project.
// Only this script seeds; `valet start` is production and starts empty.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "./build.mjs";
import { startChild } from "./start/child.mjs";
import { requireFreePort } from "./start/free-port.mjs";
import { seedDemo } from "./start/seed-demo.mjs";

const say = (line = "") => console.log(line);
const port = process.env.VALET_PORT ?? "4747";
const demoPort = process.env.VALET_DEMO_PORT ?? "4748";
const dataDir = resolve(process.env.VALET_DATA_DIR ?? ".valet");
const publicUrl = process.env.VALET_PUBLIC_URL ?? `http://localhost:${port}`;
const startedMs = Date.now();

const children = [];
let stopping = false;

async function stop(exitCode) {
  if (stopping) return;
  stopping = true;
  // The demo first: it depends on the server and not the other way round.
  for (const child of [...children].reverse()) await child.stop();
  process.exit(exitCode);
}

process.on("SIGINT", () => {
  say();
  void stop(0);
});
process.on("SIGTERM", () => void stop(0));

async function start() {
  const firstStart = !existsSync(dataDir);
  await requireFreePort(port, "VALET_PORT", "the Valet server");
  await requireFreePort(demoPort, "VALET_DEMO_PORT", "the demo");
  await build(say);

  const server = await startChild({
    name: "the Valet server",
    args: ["packages/server/dist/main.js", "start", "--json-ready"],
    env: {
      VALET_PORT: port,
      VALET_DATA_DIR: dataDir,
      VALET_PUBLIC_URL: publicUrl,
      VALET_LOG_LEVEL: process.env.VALET_LOG_LEVEL ?? "warn",
    },
    onExit: (status) => void ended("The Valet server", status),
  });
  children.push(server);
  if (firstStart) say("Filling the demo project …");
  const { envFile, setupLink } = await seedDemo({ dataDir, publicUrl, say });

  const demo = await startChild({
    name: "the demo",
    args: ["apps/demo/dist/main.js", "--env-file", envFile, "--json-ready"],
    env: { VALET_DEMO_PORT: demoPort },
    onExit: (status) => void ended("The demo", status),
  });
  children.push(demo);

  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  say();
  say(`Ready in ${seconds} s.`);
  say();
  say(`  Demo        ${demo.url}`);
  say(`  Dashboard   ${setupLink ?? publicUrl}`);
  if (setupLink) say("              (the link makes your account; it works once, for an hour)");
  say();
  if (process.env.VALET_MODEL === undefined) {
    say("  Answers are quoted from the documentation by the embedded valet-extractive-1.");
    say("  For a real model: VALET_MODEL=openai/<name> VALET_MODEL_API_KEY=<key> npm start");
    say("  (or anthropic/<name>, or openai-compatible/<name> with VALET_MODEL_BASE_URL)");
  } else {
    say(`  Answers come from ${process.env.VALET_MODEL}.`);
  }
  say();
  say("  Ctrl-C stops both.");
}

async function ended(name, status) {
  if (stopping) return;
  console.error(`${name} ended unexpectedly (${status}).`);
  await stop(1);
}

try {
  await start();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stop(1);
}
