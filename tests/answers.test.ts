import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { IngestResult } from "../packages/server/src/knowledge/knowledge.ts";
import { ask, mintToken } from "./support/ask.ts";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

let valet: TestServer;
let folder: string;
let token: string;

beforeAll(async () => {
  valet = await openTestServer();
  folder = mkdtempSync(join(tmpdir(), "valet-docs-"));
  token = await mintToken(valet);
});
afterAll(async () => {
  await valet.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ingest(): Promise<IngestResult> {
  const lines = valet.control.lines<{ result?: IngestResult; error?: string }>(
    `/projects/${valet.projectId}/ingest`,
    { path: folder },
  );
  let result: IngestResult | undefined;
  for await (const line of lines) {
    if (line.error !== undefined) throw new Error(line.error);
    result = line.result ?? result;
  }
  if (!result) throw new Error("The ingestion ended without a result.");
  return result;
}

test("a fact that was just written is quoted with its anchor, and forgotten with its page", async () => {
  const word = `zorvex${Math.floor(Math.random() * 1e9)}`;
  const litres = 1000 + Math.floor(Math.random() * 9000);
  const file = join(folder, "tanks.md");
  writeFileSync(
    file,
    `# Tanks\n\nHow tanks are built.\n\n## The ${word} tank\n\nThe ${word} tank holds exactly ${litres} litres of water.\n`,
  );
  writeFileSync(join(folder, "pumps.md"), "# Pumps\n\nA pump moves water uphill.\n");
  expect(await ingest()).toMatchObject({ added: 2, failures: [] });

  const question = `How much water does the ${word} tank hold?`;
  const answer = await ask(valet, token, question);
  expect(answer.text).toContain(`holds exactly ${litres} litres`);
  expect(answer.text).toMatch(/\[\d+\]/);
  const source = answer.sources.find(({ url }) => url.endsWith(`#the-${word}-tank`));
  expect(source?.providerMetadata.valet.headingPath.join(" ")).toContain(word);

  const page = await valet.fetch(`http://valet.test${source?.url.split("#")[0]}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(page.status).toBe(200);
  const html = await page.text();
  expect(html).toContain(`id="the-${word}-tank"`);
  expect(html).toContain(`${litres} litres`);

  unlinkSync(file);
  expect(await ingest()).toMatchObject({ removed: 1, unchanged: 1 });
  const after = await ask(valet, token, question);
  expect(after.text).not.toContain(String(litres));
  expect(after.sources).toEqual([]);
  expect(after.parts.at(-1)).toEqual({ type: "finish", finishReason: "stop" });
});

test("a project never answers from another project's documents", async () => {
  const { project } = await valet.control.post<{ project: { id: string } }>("/projects", {
    name: "Foreign",
  });
  writeFileSync(join(folder, "secret.md"), "# Plans\n\nThe quorbat launch is on a Tuesday.\n");
  for await (const _ of valet.control.lines(`/projects/${project.id}/ingest`, { path: folder }));
  unlinkSync(join(folder, "secret.md"));
  const answer = await ask(valet, token, "When is the quorbat launch?");
  expect(answer.text).not.toContain("Tuesday");
  expect(answer.sources).toEqual([]);
});

test("a follow-up stays in its thread, and another owner's session cannot read it", async () => {
  const ada = await mintToken(valet, { external_owner_id: "ada" });
  const bob = await mintToken(valet, { external_owner_id: "bob" });
  const first = await ask(valet, ada, "What does a pump move?");
  const second = await ask(valet, ada, "And a pump moves it where?", first.threadId);
  expect(second.threadId).toBe(first.threadId);
  await expect(ask(valet, bob, "What was said?", first.threadId)).rejects.toThrow("404");
  const thread = (who: string, id: string) =>
    valet.fetch(`http://valet.test/agent/v1/projects/${valet.projectId}/agent/threads/${id}/`, {
      headers: { authorization: `Bearer ${who}` },
    });
  expect((await thread(ada, first.threadId)).status).toBe(200);
  const foreign = await thread(bob, first.threadId);
  const absent = await thread(bob, "thr_0000000000000000000000");
  expect([foreign.status, absent.status]).toEqual([404, 404]);
});

test("a session ended while its answer streams gets a clear end and not silence", async () => {
  const minted = await valet.fetch(
    `http://valet.test/agent/v1/projects/${valet.projectId}/agent/sessions/`,
    { method: "POST", headers: { "x-api-key": valet.apiKey } },
  );
  const session = (await minted.json()) as { session_token: string; session_id: string };
  const answer = await valet.fetch(
    `http://valet.test/agent/v1/projects/${valet.projectId}/agent/chat/`,
    {
      method: "POST",
      headers: {
        authorization: `Bearer ${session.session_token}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        messages: [{ id: "m", role: "user", parts: [{ type: "text", text: "What is a pump?" }] }],
      }),
    },
  );
  const reader = answer.body?.getReader();
  await reader?.read();
  await valet.fetch(
    `http://valet.test/agent/v1/projects/${valet.projectId}/agent/sessions/${session.session_id}/`,
    { method: "DELETE", headers: { "x-api-key": valet.apiKey } },
  );
  let rest = "";
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
    rest += new TextDecoder().decode(piece.value);
  }
  expect(rest).toContain('"code":"token_revoked"');
  expect(rest).toContain('"finishReason":"error"');
  expect(rest.trimEnd().endsWith("data: [DONE]")).toBe(true);
});
