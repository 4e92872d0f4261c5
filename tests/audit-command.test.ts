import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SQLite from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, runValet, startProgram } from "./support/programs.ts";

let folder: string;
let variables: Record<string, string>;
const exported = () => join(folder, "audit.ndjson");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "valet-audit-"));
  variables = {
    VALET_DATA_DIR: join(folder, "data"),
    VALET_PORT: String(await freePort()),
    VALET_LOG_LEVEL: "info",
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const valet = (...args: string[]) => runValet(args, variables);

/** What a writer of the database does who is not stopped by triggers. */
function tamper(...statements: string[]): void {
  const database = new SQLite(join(variables.VALET_DATA_DIR ?? "", "valet.db"));
  for (const statement of statements) database.exec(statement);
  database.close();
}

test("teams and projects are made and listed by the command", async () => {
  const team = (await valet("teams", "create", "--name", "Acme")).stdout.trim();
  expect(team).toMatch(/^tem_\w{16}$/);
  const project = (await valet("projects", "create", "--name", "Docs", "--team", team)).stdout;
  expect(project).toMatch(/^prj_\w{16}\n$/);
  expect((await valet("projects", "list", "--team", team)).stdout).toContain("Docs");
  expect((await valet("teams", "list")).stdout).toContain(`${team}  Acme  members: 0  projects: 1`);
  await valet("teams", "create", "--name", "Other");
  const unsaid = await valet("projects", "create", "--name", "x");
  expect(unsaid.status).toBe(1);
  expect(unsaid.stderr).toContain("There are several teams");
  const absent = await valet("setup-link", "--team", "tem_none");
  expect(absent.status).toBe(1);
  expect((await valet("setup-link", "--team", team)).stdout).toContain("/setup#");
});

test("the audit verifies while the server runs, while it does not, and as a file", async () => {
  await valet("keys", "create", "--name", "CI");
  const server = await startProgram(
    ["packages/server/dist/main.js", "start", "--json-ready"],
    variables,
  );
  const running = await valet("audit", "verify");
  expect(running).toMatchObject({ status: 0 });
  expect(running.stdout).toMatch(/^Lines 1 to \d+ are whole\. \d+:[0-9a-f]{64}\n$/);
  expect(await server.stop()).toBe(0);
  const anchor = /"anchor":"(\d+:[0-9a-f]{64})"/.exec(server.said())?.[1] ?? "";
  expect((await valet("audit", "verify", "--anchor", anchor)).status).toBe(0);
  expect((await valet("audit", "export", "--output", exported())).status).toBe(0);
  expect((await valet("audit", "verify", exported(), "--anchor", anchor)).status).toBe(0);
  expect((await valet("audit", "export")).stdout.split("\n").length).toBeGreaterThan(5);
});

test("a line that was changed in a file or in the database is named, with status 1", async () => {
  const lines = readFileSync(exported(), "utf8").split("\n");
  lines[2] = lines[2]?.replace('"actor":"command"', '"actor":"person:1"') ?? "";
  writeFileSync(exported(), lines.join("\n"));
  const file = await valet("audit", "verify", exported());
  expect(file).toMatchObject({ status: 1, stdout: "" });
  expect(file.stderr).toContain("Line 2 was changed");

  tamper(
    "drop trigger audit_no_update",
    "drop trigger audit_no_delete",
    "update audit set actor = 'person:1' where n = 3",
  );
  const changed = await valet("audit", "verify");
  expect(changed.status).toBe(1);
  expect(changed.stderr).toContain("Line 3 was changed");
  tamper("delete from audit where n = 2");
  expect((await valet("audit", "verify")).stderr).toContain("Line 2 is missing");
});

test("a chain that was cut together with its end is found, and the server goes on", async () => {
  tamper("delete from audit", `update audit_head set n = 0, hash = zeroblob(32)`);
  const cut = await valet("audit", "verify");
  expect(cut.status).toBe(1);
  expect(cut.stderr).toContain("the seal");
  const [project = ""] = (await valet("projects", "list")).stdout.split(" ");
  const made = await valet("keys", "create", "--name", "After", "--project", project);
  expect(made.stdout).toMatch(/^VALET_API_KEY=/);
  expect(made.stderr).toContain("the audit was changed");
  expect((await valet("audit", "verify")).stderr).toContain("the seal at line 1 does not");
});

test("a broken audit is sealed again for a reason, and says so from then on", async () => {
  expect((await valet("audit", "verify")).status).toBe(1);
  expect((await valet("audit", "reseal")).status).not.toBe(0);
  const resealed = await valet("audit", "reseal", "--reason", "Cut by a failed restore.");
  expect(resealed).toMatchObject({ status: 0 });
  expect(resealed.stdout).toMatch(/Line \d+ says so and begins anew: Cut by a failed restore\./);
  const verified = await valet("audit", "verify");
  expect(verified.status).toBe(0);
  expect(verified.stdout).toContain(resealed.stdout);
  expect(verified.stdout).toMatch(/are whole but for what is said above\. \d+:[0-9a-f]{64}\n$/);
  const again = await valet("audit", "reseal", "--reason", "Once more.");
  expect(again.status).toBe(1);
  expect(again.stderr).toContain("nothing to seal");
  expect((await valet("audit", "export", "--output", exported())).status).toBe(0);
  const file = await valet("audit", "verify", exported());
  expect(file.stdout).toContain("Cut by a failed restore.");
});
