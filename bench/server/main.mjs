// The server beside its peers: processor time of a mint and of a verify over HTTP, and what one
// can count without it. Prints a table and writes docs/benchmarks/server.md with its picture; with
// --json one line for each figure that has a budget. --quick only shows that everything works.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { measureWindow, startDriver } from "./load.mjs";
import { peers } from "./peers.mjs";
import { toPicture } from "./picture.mjs";
import { toMarkdown, toTable } from "./report.mjs";
import { startServerProcess } from "./server-process.mjs";
import { mintForVerify, mintRequests, sample, startValet } from "./servers/valet.mjs";

const asJson = process.argv.includes("--json");
const isQuick = process.argv.includes("--quick");
const size = isQuick
  ? {
      rounds: 5,
      windowS: 0.15,
      warmUpS: 0.5,
      warmUpRequests: 0,
      tokens: 200,
      junk: 20_000,
      rows: 20_000,
      timing: 3_000,
    }
  : {
      rounds: 5,
      windowS: 1.2,
      warmUpS: 5,
      warmUpRequests: 30_000,
      tokens: 2_000,
      junk: 1_000_000,
      rows: 1_000_000,
      timing: 100_000,
    };
const connections = 64;
const startedMs = performance.now();
const folder = mkdtempSync(join(tmpdir(), "valet-bench-"));
const serverFile = (name) => new URL(`./servers/${name}.mjs`, import.meta.url);
const running = [];
const say = (text) => void process.stderr.write(`${text}\n`);

try {
  const inside = measureInside();
  const lanes = await measureOverHttp();
  const figures = toFigures(lanes, inside);
  const tookS = Math.round((performance.now() - startedMs) / 1000);
  if (asJson) {
    for (const { isKept: _, ...figure } of figures) {
      console.log(JSON.stringify({ bench: "server", ...figure }));
    }
  } else {
    const report = { figures, lanes, inside, peers, size, connections, tookS };
    console.log(toTable(report));
    if (!isQuick) {
      const docs = fileURLToPath(new URL("../../docs/benchmarks/", import.meta.url));
      writeFileSync(join(docs, "server.md"), toMarkdown(report));
      writeFileSync(join(docs, "server.svg"), toPicture(lanes));
    }
  }
  const missed = figures.filter(({ isKept }) => !isKept);
  for (const { name, value, budget } of missed) say(`${name} is ${value}, budget ${budget}`);
  process.exitCode = missed.length === 0 ? 0 : 1;
} finally {
  await Promise.all(running.map((each) => each.stop()));
  rmSync(folder, { recursive: true, force: true });
}

/** What needs no HTTP, each in a process of its own. */
function measureInside() {
  const run = (name, ...args) => {
    say(`${name} ...`);
    const file = fileURLToPath(new URL(`./inside/${name}.mjs`, import.meta.url));
    const options = { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
    return JSON.parse(execFileSync(process.execPath, [file, ...args.map(String)], options));
  };
  return {
    junk: run("junk", join(folder, "junk.db"), size.junk),
    writes: run("writes", join(folder, "writes")),
    bytes: run("bytes", join(folder, "bytes.db"), size.rows),
    timing: run("timing", size.timing),
  };
}

/** Every server in turn, round after round, so that a machine that slows down slows all of them. */
async function measureOverHttp() {
  say("servers ...");
  const driver = startDriver();
  running.push(driver);
  const keep = async (starting) => {
    const server = await starting;
    running.push(server);
    return server;
  };
  const dataDir = join(folder, "data");
  const valet = await keep(startValet({ folder: dataDir, projects: 20, keysEach: 10 }));
  const mints = mintRequests(valet.keys, isQuick ? 2_000 : 60_000);
  const verifies = await inGroups(size.tokens, (at) => mintForVerify(valet, mints[at]));
  const lanes = {
    mint: [
      { id: "bare", server: await keep(startBare(await sample(valet, mints[0]))) },
      { id: "valet", server: valet },
    ],
    verify: [
      { id: "bare", server: await keep(startBare(await sample(valet, verifies[0]))) },
      { id: "valet", server: valet },
    ],
  };
  await driver.setPool("mint valet", mints);
  await driver.setPool("mint bare", mints);
  await driver.setPool("verify valet", verifies);
  await driver.setPool("verify bare", verifies);
  for (const peer of peers) {
    const server = await keep(startPeer(peer));
    const mint = Array.from({ length: 2_000 }, (_, at) => peer.mintRequest(at));
    const verify = await inGroups(isQuick ? 50 : 500, async (at) => {
      const answer = await fetch(server.url + mint[at].path, mint[at]);
      if (!answer.ok) throw new Error(`${peer.id} answered a mint with ${answer.status}.`);
      return peer.verifyRequest(await answer.json(), at);
    });
    await driver.setPool(`mint ${peer.id}`, mint);
    await driver.setPool(`verify ${peer.id}`, verify);
    lanes.mint.push({ id: peer.id, server });
    lanes.verify.push({ id: peer.id, server });
  }
  for (const [lane, entries] of Object.entries(lanes)) {
    say(`${lane} ...`);
    const windowOf = ({ id, server }, amount) =>
      measureWindow({ driver, server, pool: `${lane} ${id}`, amount, connections });
    for (const entry of entries) {
      entry.windows = [];
      // Warms up until the compiler has seen enough, and says how many requests fill a window.
      // On a machine that is busy with other things that takes longer than on one that is not.
      const startMs = performance.now();
      const isWarm = (afterMs) =>
        afterMs >= size.warmUpS * 1000 &&
        (sent >= size.warmUpRequests || afterMs >= size.warmUpS * 4_000);
      let perSecond = 0;
      let sent = 0;
      while (!isWarm(performance.now() - startMs)) {
        const amount = connections * (perSecond > 3_000 ? 50 : 5);
        ({ perSecond } = await windowOf(entry, amount));
        sent += amount;
      }
      const perConnection = Math.max(5, Math.round((perSecond * size.windowS) / connections));
      entry.amount = perConnection * connections;
    }
    for (let round = 0; round < size.rounds; round += 1) {
      for (const entry of entries) entry.windows.push(await windowOf(entry, entry.amount));
    }
  }
  return lanes;
}

function startBare(answer) {
  return startServerProcess(serverFile("bare"), { args: [JSON.stringify(answer)] });
}

function startPeer({ id, file = id }) {
  mkdirSync(join(folder, "peers"), { recursive: true });
  const place = join(folder, "peers", id);
  return startServerProcess(serverFile(file), {
    args: [`${place}.db`, id],
    logFile: `${place}.log`,
  });
}

async function inGroups(count, make) {
  const made = [];
  while (made.length < count) {
    const group = Array.from({ length: Math.min(50, count - made.length) }, (_, at) =>
      make(made.length + at),
    );
    made.push(...(await Promise.all(group)));
  }
  return made;
}

function toFigures(lanes, { junk, writes, bytes, timing }) {
  /** How often the processor time of one goes into that of another, in the same round. */
  const ratio = (lane, of, to) => {
    const windowsOf = (id) => lanes[lane].find((entry) => entry.id === id).windows;
    const [one, other] = [windowsOf(of), windowsOf(to)];
    return median(one.map(({ cpuUs }, round) => cpuUs / other[round].cpuUs));
  };
  const atLeast = (name, value, bound) => ({
    name,
    value: round(value),
    unit: "ratio",
    budget: `>=${bound.toFixed(bound < 1 ? 2 : 0)}`,
    isKept: value >= bound,
  });
  const atMost = (name, value, unit, bound) => ({
    name,
    value: round(value),
    unit,
    budget: bound === 0 ? "=0" : `<=${bound}`,
    isKept: value <= bound,
  });
  return [
    atLeast("verify_cpu_ratio", ratio("verify", "bare", "valet"), 0.5),
    atLeast("mint_cpu_ratio", ratio("mint", "bare", "valet"), 0.12),
    atLeast("mint_vs_oidc_provider", ratio("mint", "oidc-provider", "valet"), 3),
    atLeast("verify_vs_oidc_provider", ratio("verify", "oidc-provider", "valet"), 5),
    atMost("junk_token_us", junk.us, "us", 10),
    atMost("junk_token_reads", junk.reads, "reads", 0),
    atMost("writes_per_10k_verifies", writes.writes, "writes", 1),
    atMost("bytes_per_session", bytes.bytes, "bytes", 450),
    ...timing.pairs.map(({ one, other, t }) => ({
      name: `timing_t_${one.replaceAll(" ", "_")}_vs_${other.replaceAll(" ", "_")}`,
      value: round(t),
      unit: "t",
      budget: "reported",
      isKept: true,
    })),
  ];
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function round(value) {
  return Number(value.toPrecision(3));
}
