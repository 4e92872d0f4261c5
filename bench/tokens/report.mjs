import { readFileSync } from "node:fs";

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
const versionOf = (name) => lock.packages[`node_modules/${name}`].version;

/** One cell in words: what the caller got, the calls, the virtual time. */
function describe({ got, calls, ms, reason }) {
  if (reason) return "n/a";
  const time =
    ms === undefined || ms === null
      ? ""
      : `, ${ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`}`;
  return `${got}; ${calls ?? "?"} calls${time}`.replace("; 1 calls", "; 1 call");
}

const mark = (cell) => (cell.isBest ? "\u2713 " : "");

/** For a terminal: one block a scenario. */
export function toTable({ implementations, scenarios, cellOf, figures, cached, tookS }) {
  const width = Math.max(...implementations.map(({ name }) => name.length));
  const blocks = scenarios.map((scenario) => {
    const rows = implementations.map((implementation) => {
      const cell = cellOf(implementation, scenario);
      return `  ${cell.isBest ? "\u2713" : " "} ${implementation.name.padEnd(width)}  ${describe(cell)}`;
    });
    return `${scenario.title} (best: ${scenario.best})\n${rows.join("\n")}`;
  });
  const score = (implementation) => {
    const cells = scenarios.map((scenario) => cellOf(implementation, scenario));
    return `${cells.filter(({ isBest }) => isBest).length} of ${cells.filter(({ reason }) => !reason).length}`;
  };
  const scores = implementations.map((each) => `    ${each.name.padEnd(width)}  ${score(each)}`);
  const lines = figures.map(
    ({ name, value, unit, budget }) => `  ${name.padEnd(18)} ${value} ${unit} (budget ${budget})`,
  );
  return [
    ...blocks,
    `Cells in which nothing could be better, of those that the contract allows for\n${scores.join("\n")}`,
    `Figures\n${lines.join("\n")}\n  an async function that does nothing: ${cached.nothingUs.toPrecision(2)} us`,
    `${tookS} s for all cells.`,
  ].join("\n\n");
}

/** For docs/benchmarks: the same as a page. */
export function toMarkdown({ implementations, scenarios, cellOf, figures, cached }) {
  const groups = [
    implementations.slice(0, 5),
    implementations.slice(5, 10),
    implementations.slice(10),
  ];
  const valet = implementations[0];
  const tables = groups.map((group, at) => {
    const columns = at === 0 ? group : [valet, ...group];
    const head = `| scenario | best possible | ${columns.map(({ name }) => name).join(" | ")} |`;
    const rows = scenarios.map((scenario) => {
      const cells = columns.map((each) => {
        const cell = cellOf(each, scenario);
        return `${mark(cell)}${describe(cell)}`.replaceAll("|", "\\|");
      });
      return `| ${scenario.title} | ${scenario.best} | ${cells.join(" | ")} |`;
    });
    return [head, `|${"---|".repeat(columns.length + 2)}`, ...rows].join("\n");
  });
  const reasons = implementations.flatMap(({ name, cannot }) => {
    const byReason = Map.groupBy
      ? Map.groupBy(Object.entries(cannot), ([, reason]) => reason)
      : groupBy(Object.entries(cannot));
    return [...byReason].map(
      ([reason, entries]) =>
        `- **${name}** (${entries.map(([id]) => titleOf(id)).join("; ")}): ${reason}`,
    );
  });
  function titleOf(id) {
    return scenarios.find((scenario) => scenario.id === id).title;
  }
  const configured = implementations.map(({ name, packages, window, configuration }) => {
    const versions = packages.map((each) => `${each} ${versionOf(each)}`).join(", ");
    return `| ${name} | ${versions} | ${window} | ${configuration} |`;
  });
  const figureRows = figures.map(
    ({ name, value, unit, budget }) => `| \`${name}\` | ${value} ${unit} | ${budget} |`,
  );
  return `# Session tokens: Valet beside its peers

Written by \`npm run bench -- tokens\`. A tick means that nothing could be better in that cell. A cell says what the caller got, how often the token endpoint was called, and how long the caller waited.

${tables.join("\n\n")}

## Figures

| name | value | budget |
|---|---|---|
${figureRows.join("\n")}

\`cached_get_us\` is the median of seven rounds of 200,000 awaited uses; an async function that does nothing takes ${cached.nothingUs.toPrecision(2)} us in the same run. \`manager_gzip_kib\` is \`createSessionTokenManager\` alone, bundled and minified.

## How it is run

Every cell is a process of its own on a virtual clock, with the same endpoint: 100 ms for a token of one hour unless the scenario says otherwise. Time moves only when everything has settled that can. An outage is a plain \`Error\`, because that is what most pages throw.

| implementation | version | renews ahead | configured |
|---|---|---|---|
${configured.join("\n")}

## What cannot be compared

${reasons.join("\n")}

Peers are made for their own services. A window of five minutes is right for tokens of an hour and wrong for tokens of 20 seconds, which nobody promised; Azure core answers a challenge in a 401 and not a bare one; Supabase and Auth0 ask servers of their own, whose word on the life of a token they take; the hour-long scenarios are those that every author had in mind. What the table shows is how each one behaves when a page's endpoint, clock or network is not what its author had in mind.
`;
}

/** Node 20 has no \`Map.groupBy\`. */
function groupBy(entries) {
  const groups = new Map();
  for (const entry of entries) groups.set(entry[1], [...(groups.get(entry[1]) ?? []), entry]);
  return groups;
}
