// The agent's stream beside the AI SDK's own, on the same scripted model, and the two clients on the
// same answer. Prints a table and writes docs/benchmarks/agent.md; with --json one line for each
// figure. --quick only shows that everything works.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { measureFirstDelta } from "./first-delta.mjs";
import { measureFrames } from "./frames.mjs";
import { measureHeld } from "./held.mjs";
import { startPlainLane, startValetLane } from "./lanes.mjs";
import { toMarkdown, toTable } from "./report.mjs";

const asJson = process.argv.includes("--json");
const isQuick = process.argv.includes("--quick");
const size = isQuick
  ? {
      rounds: 5,
      streams: 2,
      answers: 1,
      deltas: 200,
      warmUps: 1,
      requests: 10,
      held: 100,
      heldRounds: 5,
      sdk: 0.05,
    }
  : {
      rounds: 5,
      streams: 8,
      answers: 3,
      deltas: 2_000,
      warmUps: 3,
      requests: 100,
      held: 10_000,
      heldRounds: 5,
      sdk: 1,
    };
/** Deltas of 16 bytes. */
const answerSizes = [
  { name: "16kb", deltas: 1_024, answers: Math.ceil(40 * size.sdk) },
  { name: "1mb", deltas: isQuick ? 8_192 : 65_536, answers: 1 },
];
const startedMs = performance.now();
const folder = mkdtempSync(join(tmpdir(), "valet-bench-"));
const say = (text) => void process.stderr.write(`${text}\n`);

try {
  const found = { ...(await measureServers()), held: await measureAllHeld(), sdk: measureSdk() };
  const figures = toFigures(found);
  const tookS = Math.round((performance.now() - startedMs) / 1000);
  if (asJson) {
    for (const { name, value, unit, budget } of figures) {
      console.log(JSON.stringify({ bench: "agent", name, value, unit, budget }));
    }
  } else {
    const report = { figures, found, size, tookS };
    console.log(toTable(report));
    if (!isQuick) {
      const page = fileURLToPath(new URL("../../docs/benchmarks/agent.md", import.meta.url));
      writeFileSync(page, toMarkdown(report));
    }
  }
  const missed = figures.filter(({ isKept }) => !isKept);
  for (const { name, value, budget } of missed) say(`${name} is ${value}, budget ${budget}`);
  process.exitCode = missed.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Every server in turn, round after round, so that a machine that slows down slows all of them. */
async function measureServers() {
  const lanes = [];
  try {
    lanes.push(await startPlainLane("bare"));
    lanes.push(await startValetLane({ folder, sessions: 400 }));
    lanes.push(await startPlainLane("ai-sdk"));
    const { rounds, streams, answers, deltas, warmUps, requests } = size;
    const frames = {};
    for (const pace of ["turn", "burst"]) {
      say(`frames, ${pace} ...`);
      frames[pace] = await measureFrames({
        lanes,
        pace,
        rounds,
        streams,
        answers,
        deltas,
        warmUps,
      });
    }
    say("first delta ...");
    const first = await measureFirstDelta({ lanes, rounds, requests, warmUps: requests });
    return { frames, first };
  } finally {
    await Promise.all(lanes.map(({ server }) => server.stop()));
  }
}

/** Each round in processes of its own: what memory was used for once is not given back. */
async function measureAllHeld() {
  const found = { bare: [], valet: [] };
  for (let round = 0; round < size.heldRounds; round += 1) {
    say(`held streams, ${round + 1} of ${size.heldRounds} ...`);
    for (const id of ["bare", "valet"]) {
      const lane =
        id === "bare"
          ? await startPlainLane("bare")
          : await startValetLane({ folder: join(folder, `held-${round}`), sessions: size.held });
      try {
        found[id].push(await measureHeld(lane, size.held));
      } finally {
        await lane.server.stop();
      }
    }
  }
  return found;
}

function measureSdk() {
  const file = fileURLToPath(new URL("./sdk/measure.mjs", import.meta.url));
  const found = {};
  for (const { name, deltas, answers } of answerSizes) {
    say(`clients, ${name} ...`);
    found[name] = { reader: [], valet: [], "ai-sdk": [] };
    for (let round = 0; round < size.rounds; round += 1) {
      for (const [whose, rounds] of Object.entries(found[name])) {
        const args = [file, whose, String(deltas), "16", String(answers)];
        const options = { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
        rounds.push(JSON.parse(execFileSync(process.execPath, args, options)));
      }
    }
  }
  return found;
}

function toFigures({ frames, first, held, sdk }) {
  /** How often one goes into the other, in the same round. */
  const ratio = (ones, others) => median(ones.map((one, round) => one / others[round]));
  const heldBytes = (id) => held[id].map(({ bytes }) => bytes);
  const figure = (name, value, unit, budget, isKept = true) => ({
    name,
    value: round(value),
    unit,
    budget,
    isKept,
  });
  const firstMs = median(first.get("valet").map(({ overheadMs }) => overheadMs));
  const heldRatio = ratio(heldBytes("valet"), heldBytes("bare"));
  const count = Math.min(...held.valet.map(({ held: streams }) => streams));
  const vsAiSdk = ratio(frames.turn.get("ai-sdk"), frames.turn.get("valet"));
  const us = (name) => median(sdk[name].valet.map((each) => each.us));
  return [
    figure("first_delta_overhead_ms", firstMs, "ms", "<=3", firstMs <= 3),
    figure("stream_held_ratio", heldRatio, "ratio", "<=2.5", heldRatio <= 2.5),
    figure("streams_held", count, "streams", ">=10000", count >= 10_000),
    figure("frames_vs_ai_sdk", vsAiSdk, "ratio", ">=2", vsAiSdk >= 2),
    figure("sdk_us_per_delta_16kb", us("16kb"), "us", "reported"),
    figure("sdk_us_per_delta_1mb", us("1mb"), "us", "reported"),
  ];
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function round(value) {
  return Number.isInteger(value) ? value : Number(value.toPrecision(3));
}
