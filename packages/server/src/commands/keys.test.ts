import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApiKey, parseApiKey } from "../api-keys/api-key-format.ts";
import { readConfig } from "../config.ts";
import { withServer } from "./connect.ts";
import { keyFormatCommand } from "./key-format-command.ts";
import { keysCommand } from "./keys.ts";

const folder = mkdtempSync(join(tmpdir(), "valet-keys-"));
const config = readConfig({ VALET_DATA_DIR: join(folder, "data"), VALET_LOG_LEVEL: "silent" });
beforeAll(() => withServer(config, (client) => client.post("/projects", { name: "p" })));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `valet keys …` prints. */
async function keys(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const command = keysCommand(
    () => config,
    (line) => void lines.push(line),
  );
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  for (const sub of command.commands) {
    sub.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  await command.parseAsync(args, { from: "user" });
  return lines.join("\n");
}

const idIn = (printed: string) => parseApiKey(/agk_\w+/.exec(printed)?.[0] ?? "") ?? "";

test("a key is made with limits, renamed, changed, taken out of service and back, and listed as it is", async () => {
  const kid = idIn(
    await keys(
      ...["create", "--name", "CI", "--expires", "90d", "--scope", "introspect"],
      ...["--allow-ip", "10.0.0.0/8", "::1"],
    ),
  );
  const listed = await keys("list");
  for (const part of [
    kid,
    "CI",
    "active",
    "never used",
    "ends 20",
    "10.0.0.0/8 ::1",
    "introspect",
  ]) {
    expect(listed).toContain(part);
  }
  // What is not named stays as it is.
  expect(await keys("limit", kid, "--description", "The build")).toContain("ends 20");
  await keys("rename", kid, "Deploy");
  expect(await keys("limit", kid, "--no-expires", "--allow-any-ip")).toMatch(
    new RegExp(`^${kid} {2}Deploy {2}active {2}never used {2}introspect$`),
  );
  expect(await keys("disable", kid)).toContain(`Disabled ${kid}. Ended: 0 live sessions`);
  expect(await keys("list")).toContain("disabled 20");
  expect(await keys("enable", kid)).toBe(`Enabled ${kid}.`);
  expect(await keys("revoke", kid)).toContain(`Revoked ${kid}.`);
});

test("a rotation prints the new key and until when the old one works, and can be ended at once", async () => {
  const old = idIn(await keys("create", "--name", "Rotated"));
  const printed = await keys("rotate", old, "--overlap", "7d");
  const [line, note] = printed.split("\n");
  expect(line).toMatch(/^VALET_API_KEY=agk_live_/);
  expect(note).toMatch(new RegExp(`^# ${old} works until 20.*; never used\\.$`));
  expect(await keys("list")).toContain(`replaced by ${idIn(printed)}, works until`);
  expect(await keys("end-grace", old)).toContain(`${old} is refused from now on`);
  expect(await keys("list")).toContain(`replaced by ${idIn(printed)}, 0 calls after that`);
});

test("what cannot be read is told, and nothing is made of it", async () => {
  const before = await keys("list");
  await expect(keys("create", "--name", "x", "--expires", "soon")).rejects.toThrow("90d");
  await expect(keys("create", "--name", "x", "--allow-ip", "10.0.0.0/40")).rejects.toThrow(
    "ip_allow[0]: 10.0.0.0/40",
  );
  await expect(keys("create", "--name", "x", "--scope", "all")).rejects.toThrow("scopes");
  expect(await keys("list")).toBe(before);
});

/** What `valet keys verify-format` says of a text. */
async function format(text: string): Promise<{ good: string[]; bad: string[] }> {
  const said = { good: [] as string[], bad: [] as string[] };
  await keyFormatCommand(
    Readable.from([Buffer.from(text)]),
    (line) => void said.good.push(line),
    (line) => void said.bad.push(line),
  ).parseAsync([], { from: "user" });
  return said;
}

test("a well-formed key is told from every other text without a server, and is not printed", async () => {
  const { kid, text } = createApiKey();
  expect(await format(`${text}\n`)).toEqual({ good: [`well-formed key ${kid}`], bad: [] });
  const typo = `${text.slice(0, 40)}${text[40] === "a" ? "b" : "a"}${text.slice(41)}`;
  const said = await format(`${typo}\n\n  ${text}\nhello`);
  expect(said).toEqual({ good: [`well-formed key ${kid}`], bad: ["not a key", "not a key"] });
  expect(JSON.stringify(said)).not.toContain(text.slice(22));
  expect((await format("")).bad).toHaveLength(1);
});
