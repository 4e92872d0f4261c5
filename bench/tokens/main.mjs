// The gauntlet: every implementation in every scenario, in the same harness. Prints a table and
// writes docs/benchmarks/tokens.md; with --json one line for each figure that has a budget.
import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cachedGet, managerGzipKib } from "./figures.mjs";
import { toMarkdown, toTable } from "./report.mjs";
import { scenarios } from "./scenarios.mjs";

const asJson = process.argv.includes("--json");
const child = fileURLToPath(new URL("./child.mjs", import.meta.url));
const hardLimitMs = 25_000;
const lanes = 2;

const order = [
  "valet",
  "azure-core",
  "azure-communication",
  "azure-communication-proactive",
  "smithy",
  "livekit",
  "supabase",
  "google",
  "assistant-cloud",
  "oauth2-client",
  "app-check",
  "app-check-auto",
  "auth0",
  "urql",
  "axios-auth-refresh",
];
const present = readdirSync(new URL("./implementations/", import.meta.url)).map((file) =>
  file.replace(/\.mjs$/, ""),
);
const implementations = await Promise.all(
  [...present]
    .sort((a, b) => order.indexOf(a) - order.indexOf(b))
    .map(async (id) => ({ id, ...(await import(`./implementations/${id}.mjs`)).about })),
);

/** Runs one cell in a process of its own. */
async function runCell(implementation, scenario) {
  const reason = implementation.cannot[scenario.id];
  if (reason) return { got: "n/a", reason };
  const startedMs = performance.now();
  const running = spawn(
    process.execPath,
    ["--no-warnings", child, implementation.id, scenario.id],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let out = "";
  let said = "";
  running.stdout.on("data", (piece) => {
    out += piece;
  });
  running.stderr.on("data", (piece) => {
    said += piece;
  });
  const limit = setTimeout(() => running.kill("SIGKILL"), hardLimitMs);
  await new Promise((resolve) => running.once("close", resolve));
  clearTimeout(limit);
  const line = out.split("\n").findLast((text) => text.startsWith("{"));
  if (line) return JSON.parse(line);
  const isLate = performance.now() - startedMs >= hardLimitMs;
  return {
    got: isLate ? "did not end within 25 s" : `failed: ${said.split("\n")[0]}`,
    isBest: false,
  };
}

const cells = new Map();
const tasks = implementations.flatMap((implementation) =>
  scenarios.map((scenario) => ({ implementation, scenario })),
);
async function lane() {
  for (let task = tasks.shift(); task; task = tasks.shift()) {
    const { implementation, scenario } = task;
    cells.set(`${implementation.id} ${scenario.id}`, await runCell(implementation, scenario));
  }
}
const startedMs = performance.now();
await Promise.all(Array.from({ length: lanes }, lane));
const tookS = Math.round((performance.now() - startedMs) / 1000);

const cellOf = (implementation, scenario) => cells.get(`${implementation.id} ${scenario.id}`);
const best = scenarios.filter((scenario) => cellOf({ id: "valet" }, scenario).isBest).length;
const cached = await cachedGet();
const gzipKib = await managerGzipKib();
const figures = [
  {
    name: "best_cells",
    value: best / scenarios.length,
    unit: "ratio",
    budget: "=1",
    isKept: best === scenarios.length,
  },
  {
    name: "cached_get_us",
    value: round(cached.valetUs),
    unit: "us",
    budget: "<=1",
    isKept: cached.valetUs <= 1,
  },
  {
    name: "manager_gzip_kib",
    value: round(gzipKib),
    unit: "KiB",
    budget: "<=5",
    isKept: gzipKib <= 5,
  },
];

if (asJson) {
  for (const { isKept: _, ...figure } of figures) {
    console.log(JSON.stringify({ bench: "tokens", ...figure }));
  }
} else {
  const report = { implementations, scenarios, cellOf, figures, cached, tookS };
  console.log(toTable(report));
  const page = fileURLToPath(new URL("../../docs/benchmarks/tokens.md", import.meta.url));
  writeFileSync(page, toMarkdown(report));
}
const missed = figures.filter(({ isKept }) => !isKept);
for (const { name, value, budget } of missed)
  console.error(`${name} is ${value}, budget ${budget}`);
process.exit(missed.length === 0 ? 0 : 1);

function round(value) {
  return Number(value.toPrecision(3));
}
