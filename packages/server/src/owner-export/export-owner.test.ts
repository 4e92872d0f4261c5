import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { readConfig } from "../config.ts";
import { createControlClient } from "../control/control-client.ts";
import { type TestDatabaseKind, testDatabases } from "../database/testing/test-databases.ts";
import { streamLines } from "../http/line-stream.ts";
import { openServer } from "../open-server.ts";
import { exportOwner, type OwnerDataStore, type OwnerExportLine } from "./export-owner.ts";

vi.setConfig({ testTimeout: 60_000 });

const folders = mkdtempSync(join(tmpdir(), "valet-owner-export-"));
const drops: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(drops.map((drop) => drop()));
  rmSync(folders, { recursive: true, force: true });
});

async function open(kind: TestDatabaseKind) {
  const dataDir = mkdtempSync(join(folders, "data-"));
  const { place, drop } = await kind.createPlace();
  drops.push(drop);
  const server = await openServer(
    readConfig({
      VALET_DATA_DIR: dataDir,
      VALET_LOG_LEVEL: "silent",
      ...(place.startsWith("postgres") && { VALET_DATABASE_URL: place }),
    }),
  );
  const control = createControlClient(async (path, init) =>
    server.control.request(`http://valet${path}`, init),
  );
  const { project } = await control.post<{ project: { id: string } }>("/projects", { name: "P" });
  const { secret } = await control.post<{ secret: string }>(`/projects/${project.id}/keys`, {
    name: "k",
  });
  const send = (path: string, headers: Record<string, string>, body: unknown) =>
    server.app.request(`http://valet/agent/v1/projects/${project.id}/agent${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  return {
    server,
    control,
    projectId: project.id,
    send,
    /** Says something as an owner, thumbs the answer, and gives the token. */
    async converse(owner: string, word: string) {
      const key = { "x-api-key": secret };
      const body = { external_owner_id: owner, metadata: { note: `note ${word}` } };
      const minted = await send("/sessions/", key, body);
      const token = ((await minted.json()) as { session_token: string }).session_token;
      const bearer = { authorization: `Bearer ${token}` };
      const parts = [{ type: "text", text: `Where is the ${word}?` }];
      const messages = [{ id: `u_${word}`, role: "user", parts }];
      const answer = await send("/chat/", bearer, { messages });
      const said = await answer.text();
      const messageId = /"messageId":"([^"]+)"/.exec(said)?.[1];
      const threadId = answer.headers.get("x-thread-id");
      const given = await send(`/threads/${threadId}/feedback/`, bearer, {
        message_id: messageId,
        rating: "down",
        comment: `comment ${word}`,
      });
      expect(given.status).toBeLessThan(300);
      return token;
    },
    block: (owner: string) =>
      send("/revocations/", { "x-api-key": secret }, { targets: [{ owner }], block: true }),
    async exported(owner: string) {
      const lines: OwnerExportLine[] = [];
      const path = `/projects/${project.id}/owners/export`;
      for await (const line of control.lines<OwnerExportLine>(path, { owner })) lines.push(line);
      return lines;
    },
  };
}

for (const kind of await testDatabases()) {
  test(`${kind.name}: an export has everything of its owner, nothing of another, and no token`, async () => {
    const place = await open(kind);
    const tokens = [
      await place.converse("ada", "quokka"),
      await place.converse("ada", "numbat"),
      await place.converse("bob", "wombat"),
    ];
    await place.block("ada");
    const lines = await place.exported("ada");
    const text = JSON.stringify(lines);
    const of = (type: string) => lines.filter((line) => line.type === type);

    expect(lines[0]).toMatchObject({ type: "export", owner: "ada", project_id: place.projectId });
    expect(of("session")).toHaveLength(2);
    expect(
      of("session")
        .map(({ metadata }) => (metadata as { note: string }).note)
        .sort(),
    ).toEqual(["note numbat", "note quokka"]);
    expect(of("block")).toHaveLength(1);
    expect(of("thread")).toHaveLength(2);
    expect(of("message")).toHaveLength(4);
    expect(of("run")).toHaveLength(2);
    expect(of("tool_call").length).toBeGreaterThan(0);
    expect(
      of("feedback")
        .map(({ comment }) => comment)
        .sort(),
    ).toEqual(["comment numbat", "comment quokka"]);
    const counts = Object.fromEntries(
      [...new Set(lines.slice(1, -1).map(({ type }) => type))].map((type) => [
        type,
        of(type).length,
      ]),
    );
    expect(lines.at(-1)).toEqual({ type: "end", counts });

    expect(text).not.toMatch(/wombat|bob/);
    for (const token of tokens) expect(text).not.toContain(token);
    expect(text).not.toMatch(/digest|S[0-9A-Za-z]{63}/);

    const audit = [];
    for await (const line of place.control.lines<Record<string, unknown>>("/audit/export", {})) {
      audit.push(line);
    }
    const told = audit.find(({ event }) => event === "owner.exported");
    expect(told).toMatchObject({ actor: "command", project_id: place.projectId });
    expect(told?.target).toMatch(/^owner:/);
    expect(JSON.stringify(told)).not.toContain("ada");
    await place.server.close();
  });

  test(`${kind.name}: of somebody unknown there is nothing, and a project has to be there`, async () => {
    const place = await open(kind);
    const lines = await place.exported("nobody");
    expect(lines.map(({ type }) => type)).toEqual(["export", "end"]);
    await expect(
      place.control.post("/projects/prj_absent/owners/export", { owner: "a" }),
    ).rejects.toThrow();
    await place.server.close();
  });
}

test("rows are read a page at a time, and only as fast as somebody takes them", async () => {
  let read = 0;
  const total = 100_000;
  const none = async () => [];
  const store: OwnerDataStore = {
    sessions: none,
    blocks: none,
    messages: none,
    calls: none,
    sources: none,
    feedback: none,
    runs: none,
    async threads(_of, after, limit) {
      const from = after === undefined ? 0 : Number(after.id) + 1;
      const page = Array.from({ length: Math.min(limit, total - from) }, (_, at) => ({
        id: String(from + at),
        integration_id: null,
        title: "x".repeat(100),
        created_at_ms: 0,
        updated_at_ms: 0,
        deleted_at_ms: null,
      }));
      read += page.length;
      return page;
    },
  };
  const of = { store, projectId: "prj_1", owner: "ada", pageSize: 50 };
  const reader = streamLines(exportOwner(of)).getReader();
  await reader.read();
  // A chunk is 32 KB, and one more is made ahead.
  expect(read).toBeLessThan(1_000);
  await reader.cancel();
  const before = read;
  await new Promise((resolve) => setImmediate(resolve));
  expect(read).toBe(before);

  let lines = 0;
  for await (const line of exportOwner(of)) {
    if (line.type === "thread") lines += 1;
    else if (line.type === "end") expect(line).toEqual({ type: "end", counts: { thread: total } });
  }
  expect(lines).toBe(total);
});
