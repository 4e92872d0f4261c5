import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
const versionOf = (name) => lock.packages[`node_modules/${name}`].version;

const names = {
  bare: "bare node:http",
  valet: "Valet",
  "ai-sdk": "`streamText` of `ai`",
  reader: "reading the body, no more",
};
const clients = { ...names, valet: "`Agent`", "ai-sdk": "`Chat` of `@ai-sdk/react`" };

function middle(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** The blocks of both reports: a title, a head and rows. */
function blocksOf({ frames, first, held, sdk }) {
  const perSecond = (us) => Math.round(1e6 / us).toLocaleString("en");
  const framesOf = (pace) =>
    [...frames[pace]].map(([id, rounds]) => {
      const us = middle(rounds);
      return [names[id], us.toFixed(1), perSecond(us)];
    });
  const ms = (rounds, name) => middle(rounds.map((round) => round[name])).toFixed(2);
  const [small, large] = Object.values(sdk);
  return {
    turn: {
      title: "deltas one at a time",
      head: ["server", "CPU us/delta", "deltas per CPU second"],
      rows: framesOf("turn"),
    },
    burst: {
      title: "deltas as fast as the model gives them",
      head: ["server", "CPU us/delta", "deltas per CPU second"],
      rows: framesOf("burst"),
    },
    first: {
      title: "first delta",
      head: ["server", "p50 ms", "before the model, ms", "after it, ms", "p99 ms", "CPU ms/answer"],
      rows: [...first].map(([id, rounds]) => [
        names[id],
        ...["overheadMs", "beforeMs", "afterMs", "p99Ms", "cpuMs"].map((name) => ms(rounds, name)),
      ]),
    },
    held: {
      title: "held streams",
      head: ["server", "streams", "KiB each"],
      rows: Object.entries(held).map(([id, rounds]) => [
        names[id],
        String(Math.min(...rounds.map((round) => round.held))),
        (middle(rounds.map(({ bytes }) => bytes)) / 1024).toFixed(1),
      ]),
    },
    sdk: {
      title: "clients",
      head: ["client", "16 kB, us/delta", "1 MB, us/delta", "changes told, 1 MB"],
      rows: Object.keys(small).map((whose) => [
        clients[whose],
        middle(small[whose].map(({ us }) => us)).toFixed(1),
        middle(large[whose].map(({ us }) => us)).toFixed(1),
        whose === "reader" ? "" : String(middle(large[whose].map(({ changes }) => changes))),
      ]),
    },
  };
}

/** For a terminal. */
export function toTable({ figures, found, tookS }) {
  const blocks = Object.values(blocksOf(found)).map(({ title, head, rows }) => {
    const all = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("`", "")));
    const widths = head.map((_, at) => Math.max(...all.map((row) => row[at].length)));
    const line = (row) =>
      row.map((cell, at) => (at ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join("  ");
    return `${title}\n${all.map((row) => `  ${line(row)}`).join("\n")}`;
  });
  const width = Math.max(...figures.map(({ name }) => name.length));
  const lines = figures.map(
    ({ name, value, unit, budget }) => `  ${name.padEnd(width)}  ${value} ${unit} (${budget})`,
  );
  return [...blocks, `figures\n${lines.join("\n")}`, `${tookS} s.`].join("\n\n");
}

const toRows = (rows) => rows.map((row) => `| ${row.join(" | ")} |`).join("\n");

/** For docs/benchmarks: the same as a page. */
export function toMarkdown({ figures, found, size, tookS }) {
  const blocks = blocksOf(found);
  const table = ({ head, rows }) =>
    `${toRows([head])}\n|${"---|".repeat(head.length)}\n${toRows(rows)}`;
  const load = loadavg()[1].toFixed(1);
  const shared =
    loadavg()[1] > 1.5 ? "which it shared with other work" : "which had little else to do";
  const rows = figures.map(({ name, value, unit, budget, isKept }) => [
    `\`${name}\``,
    `${value} ${unit}`,
    budget,
    budget === "reported" ? "" : isKept ? "yes" : "not yet",
  ]);
  return `# The agent's stream beside its peers

Written by \`npm run bench -- agent\`, on ${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"}) with Node.js ${process.versions.node}, ${shared} (load ${load}); it took ${tookS} s. Machines differ: the ratios say more than the figures.

## Figures

| name | value | budget | kept |
|---|---|---|---|
${toRows(rows)}

## Deltas

Processor time of the server's process for each delta of 16 bytes, in answers of ${size.deltas.toLocaleString("en")}, ${size.streams} of them at a time. One at a time, each in a turn of the event loop of its own, as tokens come off a network:

${table(blocks.turn)}

As fast as the model gives them, many in one turn:

${table(blocks.burst)}

## First delta

From the request to the first delta in the client, one request at a time, of a model that speaks at once; what the model takes itself is taken off. For Valet that is the session, the limits and the budget, the question in the database, durable, and the prompt made of what is stored there. The AI SDK's server checks and stores nothing.

${table(blocks.first)}

## Held streams

Resident memory of a stream that is open while its model is silent. Afterwards the model goes on, and a stream that does not end well ends the run of the bench.

${table(blocks.held)}

## Clients

Processor time of a client for each delta of an answer, from the body's bytes to the state that a page reads, without any drawing. \`Agent\` tells a page at most once a frame; \`Chat\` tells it of every delta.

${table(blocks.sdk)}

## How it is run

Each server is a process of its own, and has its turn in each of ${size.rounds} rounds; a ratio is made within a round, and the middle one counts. Behind Valet and behind \`streamText\` (\`ai\` ${versionOf("ai")}) stands the same scripted model, an object of the AI SDK's specification in the server's process; Valet runs as \`valet start\` does, with all defaults, its log in a file, sessions of their own made with keys of 20 projects. Bare \`node:http\` writes frames that were made beforehand. Every answer has to be whole, and an answer outside 200 ends the run. Streams are held in processes that start anew in each round (${size.heldRounds} of them).
`;
}
