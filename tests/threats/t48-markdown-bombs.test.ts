import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";

/** T48: a document that is small to write and endless to read. */
let server: AttackedServer;
const folder = mkdtempSync(join(tmpdir(), "valet-bombs-"));
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const bombs: Record<string, string> = {
  "quotes in quotes": `${"> ".repeat(3_000)}deep`,
  "lists in lists": Array.from({ length: 300 }, (_, at) => `${"  ".repeat(at)}- x`).join("\n"),
  brackets: "[".repeat(20_000),
  "links that never close": "[a](".repeat(5_000),
  emphasis: "*a **b ".repeat(5_000),
  "code marks": "`".repeat(20_000),
  "a wide table": `|${"a|".repeat(2_000)}\n|${"-|".repeat(2_000)}\n|${"b|".repeat(2_000)}`,
  "html comments": "<!--".repeat(10_000),
  "front matter": `---\n${"a: &a [*a, *a, *a]\n".repeat(50)}---\n# Title\n`,
  "front matter that multiplies": `---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n---\n# Title\n`,
};

test.each(Object.keys(bombs))(
  "%s: reading ends, sessions are served meanwhile, and the search answers afterwards",
  async (name) => {
    server.clock.ms += 60_000;
    writeFileSync(join(folder, "bomb.md"), `${bombs[name]}\n\n# After\n\nThe zorvex holds.\n`);
    const { session_token: token } = await server.mint();
    let isOver = false;
    const reading = (async () => {
      const path = `/projects/${server.projectId}/ingest`;
      for await (const _ of server.control.lines(path, { path: folder })) void _;
      isOver = true;
    })();
    let slowestMs = 0;
    while (!isOver && slowestMs < 20_000) {
      const startedMs = performance.now();
      expect((await server.as(token, "/session/")).status).toBe(200);
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      server.clock.ms += 1_000;
    }
    await reading;
    const answer = await server.as(token, "/chat/", {
      method: "POST",
      body: JSON.stringify({
        messages: [{ id: name, role: "user", parts: [{ type: "text", text: "zorvex" }] }],
      }),
    });
    expect([answer.status, (await answer.text()).includes("[DONE]")]).toEqual([200, true]);
  },
  30_000,
);

test("a document that cannot be read is named, and the others of its folder are read", async () => {
  writeFileSync(join(folder, "bomb.md"), `${"> ".repeat(8_000)}deep\n`);
  writeFileSync(join(folder, "good.md"), "# Good\n\nThe quxal holds.\n");
  const lines: unknown[] = [];
  const path = `/projects/${server.projectId}/ingest`;
  for await (const line of server.control.lines(path, { path: folder })) lines.push(line);
  rmSync(join(folder, "good.md"));
  expect(lines.at(-1)).toMatchObject({
    result: { added: 1, failures: [{ path: "bomb.md", code: "file_unreadable" }] },
  });
}, 60_000);

test("a file of more than 10 MB is not read at all", async () => {
  writeFileSync(join(folder, "bomb.md"), `# Big\n\n${"zorvex ".repeat(1_600_000)}`);
  const lines: unknown[] = [];
  const path = `/projects/${server.projectId}/ingest`;
  for await (const line of server.control.lines(path, { path: folder })) lines.push(line);
  expect(lines.at(-1)).toMatchObject({
    result: { failures: [{ path: "bomb.md", code: "file_too_large" }] },
  });
}, 60_000);
