import { readFileSync } from "node:fs";
import { cpus } from "node:os";

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
const versionOf = (name) => lock.packages[`node_modules/${name}`].version;

/** The middle of all rounds of one server. */
export function middleOf({ windows }) {
  const middle = (name) => {
    const values = windows.map((window) => window[name]).sort((a, b) => a - b);
    return values[Math.floor(values.length / 2)];
  };
  return {
    cpuUs: middle("cpuUs"),
    perSecond: middle("perSecond"),
    p50Ms: middle("p50Ms"),
    p99Ms: middle("p99Ms"),
  };
}

/** How a server is called. */
export function nameOf(id, peers) {
  if (id === "bare") return "bare node:http";
  if (id === "valet") return "Valet";
  return peers.find((peer) => peer.id === id).packages[0];
}

function rowsOf(lanes, lane, peers) {
  const bare = middleOf(lanes[lane].find(({ id }) => id === "bare")).cpuUs;
  return lanes[lane].map((entry) => {
    const { cpuUs, perSecond, p50Ms, p99Ms } = middleOf(entry);
    return [
      nameOf(entry.id, peers),
      cpuUs.toFixed(1),
      (bare / cpuUs).toFixed(2),
      String(Math.round(perSecond)),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
    ];
  });
}

const head = ["server", "CPU us/request", "of bare", "requests/s", "p50 ms", "p99 ms"];

/** For a terminal. */
export function toTable({ figures, lanes, inside, peers, tookS }) {
  const block = (lane) => {
    const rows = [head, ...rowsOf(lanes, lane, peers)];
    const widths = head.map((_, at) => Math.max(...rows.map((row) => row[at].length)));
    const line = (row) =>
      row.map((cell, at) => (at ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join("  ");
    return `${lane}\n${rows.map((row) => `  ${line(row)}`).join("\n")}`;
  };
  const width = Math.max(...figures.map(({ name }) => name.length));
  const lines = figures.map(
    ({ name, value, unit, budget }) => `  ${name.padEnd(width)}  ${value} ${unit} (${budget})`,
  );
  const shares = inside.bytes.shares.map(
    ({ name, bytes }) => `  ${name.padEnd(28)} ${bytes.toFixed(1)}`,
  );
  return [
    block("verify"),
    block("mint"),
    `bytes of a session, of ${inside.bytes.count} rows\n${shares.join("\n")}`,
    `figures\n${lines.join("\n")}`,
    `${tookS} s.`,
  ].join("\n\n");
}

const toRows = (rows) => rows.map((row) => `| ${row.join(" | ")} |`).join("\n");

/** For docs/benchmarks: the same as a page. */
export function toMarkdown({ figures, lanes, inside, peers, size, connections, tookS }) {
  const table = (lane) =>
    `${toRows([head])}\n|${"---|".repeat(head.length)}\n${toRows(rowsOf(lanes, lane, peers))}`;
  const budgeted = figures.filter(({ budget }) => budget !== "reported");
  const { junk, writes, bytes, timing } = inside;
  return `# The server beside its peers

Written by \`npm run bench -- server\`, on ${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"}) with Node.js ${process.versions.node}; it took ${tookS} s. Machines differ: the ratios say more than the figures.

![Processor time of a verify and of a mint, for each server](server.svg)

## Figures

| name | value | budget | kept |
|---|---|---|---|
${toRows(
  budgeted.map(({ name, value, unit, budget, isKept }) => [
    `\`${name}\``,
    `${value} ${unit}`,
    budget,
    isKept ? "yes" : "not yet",
  ]),
)}

## Verify

\`GET .../session/\` with a token that was used before, with all default limits on.

${table("verify")}

## Mint

\`POST .../sessions/\` with an API key and an owner, durable before it is answered.

${table("mint")}

## Storage

A session with its owner takes ${bytes.bytes.toFixed(0)} bytes in SQLite: ${bytes.count.toLocaleString("en")} rows, after as many have come and gone.

| part | bytes of a session |
|---|---|
${toRows(bytes.shares.map(({ name, bytes: share }) => [`\`${name}\``, share.toFixed(1)]))}

10,000 uses of tokens over ten minutes of a clock of its own: ${writes.writes} statements that write, ${writes.reads} that read (one for each token). ${junk.count.toLocaleString("en")} well-formed tokens with a made-up checksum: ${junk.reads} statements, ${junk.us.toFixed(1)} us of processor time each.

## Timing

Does the time of a refused API key tell why it was refused? ${timing.samples.toLocaleString("en")} keys of each kind in random order, the slowest tenth cut off; Welch's t between each pair of kinds. Below 4.5 there is nothing to be seen in so many samples; above it there may be, in this process, without a network in between.

| one | the other | t |
|---|---|---|
${toRows(timing.pairs.map(({ one, other, t }) => [one, other, t.toFixed(1)]))}

Means: ${timing.means.map(({ name, ns }) => `${name} ${(ns / 1000).toFixed(2)} us`).join(", ")}. The id of a key is public: the first two rows are about whether it exists, the last one is about its secret. The order of the steps is held by tests; these are their statistics.

## How it is run

Each server is a process of its own, and so is the load: autocannon with ${connections} connections, which never sleeps, because waking a process that sleeps is paid for by the one that wakes it. Every server has its turn in each of ${size.rounds} rounds; a ratio is made within a round, and the middle one counts. What is compared is the processor time of the server's process, all its threads, for each request: with two cores the load is a bottleneck, too. An answer outside 2xx ends the run.

Bare \`node:http\` has the same method, reply headers and bytes, made beforehand. Valet is \`valet start\` with a data folder, embedded database and all defaults, its log written to a file; ${(20 * 10).toLocaleString("en")} keys of 20 projects, an owner of its own for each session. Peers store in SQLite with the same settings (\`journal_mode=WAL\`, \`synchronous=FULL\`) where they store; those without a server of their own stand behind \`node:http\`.

| server | version | mint | verify |
|---|---|---|---|
${toRows(
  peers.map(({ packages, mint, verify }) => [
    packages.join(", "),
    packages.map(versionOf).join(", "),
    mint,
    verify,
  ]),
)}

\`livekit-server-sdk\` and \`jose\` sign and check tokens without storing anything: such a token cannot be ended before its time. \`better-auth\` reads and writes the key's row at each verify. None of the peers counts requests here, Valet does.
`;
}
