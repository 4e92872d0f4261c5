import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";

/**
 * T47: documentation leads its reader out of its own folder. Folders are named by whoever has the
 * command alone: no route on the network takes a path.
 */
let server: AttackedServer;
const folder = mkdtempSync(join(tmpdir(), "valet-outside-"));
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("neither a link to a file nor one to a folder outside is followed, nor is a hidden file read", async () => {
  const docs = join(folder, "docs");
  const outside = join(folder, "outside");
  mkdirSync(join(docs, ".git"), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(docs, "page.md"), "# Page\n\nWhat everybody may read.\n");
  writeFileSync(join(docs, ".git", "notes.md"), "# Notes\n\nHIDDEN-4711\n");
  writeFileSync(join(outside, "private.md"), "# Private\n\nPRIVATE-4711\n");
  symlinkSync(join(outside, "private.md"), join(docs, "linked.md"));
  symlinkSync(outside, join(docs, "linked"));
  symlinkSync("../outside/private.md", join(docs, "relative.md"));
  symlinkSync(docs, join(docs, "loop"));
  const lines: unknown[] = [];
  for await (const line of server.control.lines(`/projects/${server.projectId}/ingest`, {
    path: docs,
  })) {
    lines.push(line);
  }
  expect(lines.at(-1)).toMatchObject({ result: { added: 1 } });
  const { session_token: token } = await server.mint();
  const answer = await server.as(token, "/chat/", {
    method: "POST",
    body: JSON.stringify({
      messages: [
        { id: "m", role: "user", parts: [{ type: "text", text: "PRIVATE-4711 HIDDEN-4711" }] },
      ],
    }),
  });
  const text = await answer.text();
  expect(text).not.toContain("outside");
  expect(text.match(/4711/g)?.length ?? 0).toBeLessThanOrEqual(4);
  expect(text).not.toContain("# Private");
});

test("the files that are served hold nothing from outside their folder, however the path is written", async () => {
  for (const path of [
    "/sdk/../../package.json",
    "/sdk/..%2f..%2fpackage.json",
    "/sdk/%2e%2e/%2e%2e/package.json",
    "/assets/..%5c..%5cpackage.json",
    "/assets/....//....//package.json",
    "/sdk/%00/etc/passwd",
    "//etc/passwd",
    "/sources/..%2f..%2fetc%2fpasswd",
  ]) {
    const answer = await server.fetch(`http://valet.test${path}`);
    const text = await answer.text();
    expect([path, /"name": "@?valet|root:/.test(text)]).toEqual([path, false]);
  }
});
