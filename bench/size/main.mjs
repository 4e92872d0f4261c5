// What a page downloads: the SDK, minified and compressed, beside the client of the AI SDK. Prints a
// table and writes docs/benchmarks/size.md; with --json one line for each figure that has a budget.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipBytes, sizesOf } from "./bundle.mjs";
import { firstLoadBytes } from "./dashboard.mjs";

const asJson = process.argv.includes("--json");
const isQuick = process.argv.includes("--quick");
const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
const versionOf = (name) => lock.packages[`node_modules/${name}`].version;
const kib = (bytes) => bytes / 1024;

const core = path("packages/agent-core/dist/index.js");
const react = path("packages/agent-react/dist/index.js");
const element = path("packages/server/public/sdk/valet-element.js");
const here = fileURLToPath(import.meta.url);

const coreSizes = await sizesOf(
  `export { Agent, createToolHelper } from ${JSON.stringify(core)};`,
  here,
);
const reactSizes = await sizesOf(
  `export { AgentProvider, AgentChat, AgentPanel } from ${JSON.stringify(react)};`,
  here,
);
const elementSizes = existsSync(element)
  ? await sizesOf(`export * from ${JSON.stringify(element)};`, here)
  : undefined;
const css = gzipBytes(readFileSync(path("packages/agent-react/dist/styles.css"), "utf8"));
const dashboard = firstLoadBytes(path("packages/server/public/dashboard"));

const useChat = `export { useChat } from "@ai-sdk/react"; export { DefaultChatTransport } from "ai";`;
const markdown = `export { default as Markdown } from "react-markdown"; export { default as gfm } from "remark-gfm";`;
const peers = [
  {
    name: "`useChat` and `DefaultChatTransport`",
    bytes: (await sizesOf(useChat, here)).gzipBytes,
    packages: ["ai", "@ai-sdk/react"],
  },
  {
    name: "the same with `react-markdown` and `remark-gfm`, no interface",
    bytes: (await sizesOf(useChat + markdown, here)).gzipBytes,
    packages: ["ai", "@ai-sdk/react", "react-markdown", "remark-gfm"],
  },
];

const figures = [
  figure("agent_core_gzip_kib", coreSizes.gzipBytes, 14, "`{ Agent, createToolHelper }`"),
  figure(
    "agent_react_gzip_kib",
    reactSizes.gzipBytes,
    48,
    "`{ AgentProvider, AgentChat, AgentPanel }` with core and Markdown, React apart",
  ),
  figure("agent_css_gzip_kib", css, 6, "`styles.css`, as it is served"),
  figure("element_gzip_kib", elementSizes?.gzipBytes, 110, "the custom element, React inside"),
  figure(
    "dashboard_first_load_gzip_kib",
    dashboard,
    220,
    "the dashboard's script until the first page after sign-in stands",
  ),
];

if (asJson) {
  for (const { name, value, unit, budget } of figures) {
    if (value === undefined) continue;
    console.log(JSON.stringify({ bench: "size", name, value, unit, budget }));
  }
} else {
  const rows = [
    ...figures.map(({ name, value, budget }) => [name, inWords(value), budget]),
    ...peers.map(({ name, bytes }) => [name.replaceAll("`", ""), inWords(round(kib(bytes))), ""]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value, budget] of rows) {
    console.log(`${name.padEnd(width)}  ${value.padStart(14)}  ${budget}`);
  }
  if (!isQuick) writeFileSync(path("docs/benchmarks/size.md"), toMarkdown());
}
const missed = figures.filter(({ isKept }) => !isKept);
for (const { name, value, budget } of missed) {
  process.stderr.write(`${name} is ${value}, budget ${budget}\n`);
}
for (const { name } of figures.filter(({ value }) => value === undefined)) {
  process.stderr.write(`${name}: not built yet\n`);
}
process.exitCode = missed.length === 0 ? 0 : 1;

function figure(name, bytes, bound, what) {
  const value = bytes === undefined ? undefined : round(kib(bytes));
  const isKept = value === undefined || value <= bound;
  return { name, value, unit: "KiB", budget: `<=${bound}`, isKept, what };
}

function round(value) {
  return Number(value.toFixed(1));
}

function inWords(value) {
  return value === undefined ? "not built yet" : `${value} KiB`;
}

function toMarkdown() {
  const row = (cells) => `| ${cells.join(" | ")} |`;
  const kept = ({ value, isKept }) => (value === undefined ? "" : isKept ? "yes" : "not yet");
  return `# What a page downloads

Written by \`npm run bench -- size\`. Bundled for browsers with rolldown ${versionOf("rolldown")}, minified, each file compressed with gzip; chunks that load later stand apart. The same code gives the same figures on every machine. That a leak shows was tried: with a Markdown lexer in core, \`agent_core_gzip_kib\` was 23.5 KiB.

| name | what | value | budget | kept |
|---|---|---|---|---|
${figures.map((each) => row([`\`${each.name}\``, each.what, inWords(each.value), each.budget, kept(each)])).join("\n")}

Chunks that load later, when they are needed: ${round(kib(coreSizes.lazyBytes))} KiB of core, ${round(kib(reactSizes.lazyBytes))} KiB of React.

## Beside the client of the AI SDK

Measured in the same way, with React apart. \`useChat\` is a hook without any interface; \`agent_react_gzip_kib\` is a whole chat.

| what | value | versions |
|---|---|---|
${peers.map(({ name, bytes, packages }) => row([name, `${round(kib(bytes))} KiB`, packages.map((each) => `${each} ${versionOf(each)}`).join(", ")])).join("\n")}
`;
}
