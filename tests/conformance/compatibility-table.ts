import { type InstalledClient, type Major, majors } from "./installed-clients.ts";

/** What a client of one major was seen to do: it can, or it cannot and why. */
export type Finding = "yes" | `no: ${string}`;

/** What was found of each case, by its name. */
export type Findings = ReadonlyMap<string, Readonly<Partial<Record<Major, Finding>>>>;

const begin = "<!-- Written by `npm run test:conformance -- --write`. -->";
const end = "<!-- End of what is written. -->";

/** The table of all cases, a column for each major, with its notes below. */
export function toTable(
  findings: Findings,
  clients: Readonly<Record<Major, InstalledClient>>,
): string {
  const notes: string[] = [];
  const cell = (finding: Finding | undefined) => {
    if (finding === undefined) return "not run";
    if (finding === "yes") return "yes";
    const note = finding.slice("no: ".length);
    if (!notes.includes(note)) notes.push(note);
    return `no (${notes.indexOf(note) + 1})`;
  };
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rows = [
    row(["", ...majors.map((major) => `\`ai\` ${major}`)]),
    `|${"---|".repeat(majors.length + 1)}`,
    row(["version", ...majors.map((major) => clients[major].version)]),
    row(["Node.js it is made for", ...majors.map((major) => clients[major].node)]),
    ...[...findings].map(([name, found]) =>
      row([name, ...majors.map((major) => cell(found[major]))]),
    ),
  ];
  const list = notes.map((note, at) => `${at + 1}. ${note}`).join("\n");
  return `${rows.join("\n")}\n\n${list}`.trim();
}

/** What stands between the marks of a page. */
export function tableOf(page: string): string {
  return page.slice(page.indexOf(begin) + begin.length, page.indexOf(end)).trim();
}

/** The page with another table between its marks. */
export function withTable(page: string, table: string): string {
  const before = page.slice(0, page.indexOf(begin) + begin.length);
  return `${before}\n\n${table}\n\n${page.slice(page.indexOf(end))}`;
}
