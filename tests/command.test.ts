import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, runValet, startProgram } from "./support/programs.ts";

let folder: string;
let variables: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "valet-command-"));
  variables = {
    VALET_DATA_DIR: join(folder, "data"),
    VALET_PORT: String(await freePort()),
    VALET_LOG_LEVEL: "warn",
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = () =>
  startProgram(["packages/server/dist/main.js", "start", "--json-ready"], variables);

test("help names every command and every variable", async () => {
  const { status, stdout } = await runValet(["--help"], {});
  expect(status).toBe(0);
  for (const word of ["start", "ingest", "keys", "sources", "setup-link", "VALET_PORT"]) {
    expect(stdout).toContain(word);
  }
});

test("a wrong configuration says every problem by name and starts nothing", async () => {
  const wrong = { VALET_PORT: "x", VALET_PUBLIC_URL: "nowhere", VALET_MODLE: "y" };
  const { status, stdout, stderr } = await runValet(["start"], wrong);
  expect(status).toBe(1);
  expect(stdout).toBe("");
  for (const name of Object.keys(wrong)) expect(stderr).toContain(name);
  expect(stderr).not.toContain("    at ");
});

test("an empty server says what to do first", async () => {
  const { status, stderr } = await runValet(["keys", "list"], variables);
  expect(status).toBe(1);
  expect(stderr).toContain("valet setup-link");
});

test("production starts empty, and the command works with it running and with it stopped", async () => {
  const server = await start();
  const link = await runValet(["setup-link"], variables);
  expect(link.stdout).toMatch(new RegExp(`^${server.url}/setup#[0-9A-Za-z]{32}\n$`));
  const socket = statSync(join(variables.VALET_DATA_DIR ?? "", "control.sock"));
  expect(socket.mode & 0o777).toBe(0o600);
  const code = link.stdout.trim().split("#")[1];
  const made = await fetch(`${server.url}/admin/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: server.url },
    body: JSON.stringify({ code, name: "A", email: "a@example.com", password: "long enough 1" }),
  });
  expect(made.status).toBe(201);

  const created = await runValet(["keys", "create", "--name", "CI"], variables);
  expect(created.stdout).toMatch(/^VALET_API_KEY=agk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\n$/);
  const kid = created.stdout.split("_")[4] ?? "";
  expect(await server.stop("SIGINT")).toBe(0);

  const listed = await runValet(["keys", "list"], variables);
  expect(listed.stdout).toContain(`${kid}  CI  active`);
  const revoked = await runValet(["keys", "revoke", kid], variables);
  expect(revoked.stdout).toContain(`Revoked ${kid}`);
  expect((await runValet(["keys", "list"], variables)).stdout).toContain("revoked");
  const unknown = await runValet(["keys", "revoke", "nowhere00000"], variables);
  expect(unknown.status).toBe(1);
  expect(unknown.stderr).not.toContain("    at ");
});

test("a second server on the same data folder or port is told so in one line", async () => {
  const server = await start();
  const other = await freePort();
  const folderTaken = await runValet(["start"], { ...variables, VALET_PORT: String(other) });
  expect(folderTaken.status).toBe(1);
  expect(folderTaken.stderr).toContain("Another process is using");
  const portTaken = await runValet(["start"], {
    ...variables,
    VALET_DATA_DIR: join(folder, "second"),
  });
  expect(portTaken.status).toBe(1);
  expect(portTaken.stderr).toContain(`Port ${variables.VALET_PORT} is taken. Set VALET_PORT`);
  expect(portTaken.stderr.trim().split("\n")).toHaveLength(1);
  expect(await server.stop()).toBe(0);
});

test("what cannot be ingested is told line by line, and the rest is ingested", async () => {
  const missing = await runValet(["ingest", join(folder, "nowhere")], variables);
  expect(missing.status).toBe(1);
  expect(missing.stderr).toContain("nowhere");
  expect(missing.stderr.trim().split("\n")).toHaveLength(1);

  const docs = join(folder, "docs");
  mkdirSync(docs);
  writeFileSync(join(docs, "good.md"), "# Good\n\nA good page about gardening.\n");
  writeFileSync(join(docs, "empty.md"), "");
  writeFileSync(join(docs, "binary.md"), Buffer.from([0x23, 0x20, 0, 1, 2, 255, 254]));
  writeFileSync(join(docs, "huge.md"), Buffer.alloc(50 * 1024 * 1024, "# Huge\n\nwords words\n"));
  const mixed = await runValet(["ingest", docs], variables);
  expect(mixed.status).toBe(1);
  for (const name of ["empty.md", "binary.md", "huge.md"]) {
    expect(mixed.stderr.split("\n").filter((line) => line.includes(name))).toHaveLength(1);
  }
  expect(mixed.stderr).not.toContain("    at ");
  expect(mixed.stdout).toContain("Pages: 1 added");

  for (const name of ["empty.md", "binary.md", "huge.md"]) rmSync(join(docs, name));
  const clean = await runValet(["ingest", docs], variables);
  expect(clean.status).toBe(0);
  expect(clean.stdout).toContain("1 unchanged");
  const sources = await runValet(["sources", "list"], variables);
  expect(sources.stdout).toContain("1 pages");
  const id = sources.stdout.split(" ")[0] ?? "";
  expect((await runValet(["sources", "remove", id], variables)).status).toBe(0);
  expect((await runValet(["sources", "list"], variables)).stdout).toContain("Nothing was ingested");
});

test("the settings of a project are printed, set and refused, and a project is switched off and on", async () => {
  const projects = await runValet(["projects", "list"], variables);
  const id = projects.stdout.split(" ")[0] ?? "";
  const project = ["--project", id];
  const set = await runValet(
    ["projects", "settings", ...project, "--set", '{"retention_days":7}'],
    variables,
  );
  expect(JSON.parse(set.stdout)).toMatchObject({ retention_days: 7, max_session_seconds: 3600 });
  const wrong = await runValet(
    ["projects", "settings", ...project, "--set", '{"retention_days":0}'],
    variables,
  );
  expect(wrong.status).toBe(1);
  expect(wrong.stderr).toContain("retention_days");
  const noJson = await runValet(["projects", "settings", ...project, "--set", "x"], variables);
  expect(noJson.stderr).toContain("--set takes JSON");
  const shown = await runValet(["projects", "settings", ...project], variables);
  expect(JSON.parse(shown.stdout)).toEqual(JSON.parse(set.stdout));
  const off = await runValet(["projects", "disable", ...project], variables);
  expect(off.stdout).toBe(`${id} is disabled.\n`);
  const on = await runValet(["projects", "enable", ...project], variables);
  expect(on.stdout).toBe(`${id} is enabled.\n`);
});
