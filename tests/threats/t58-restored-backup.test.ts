import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { restore } from "../../packages/server/src/backup/restore.ts";
import { describeRestored } from "../../packages/server/src/commands/backup.ts";
import { readConfig } from "../../packages/server/src/config.ts";
import { createControlClient } from "../../packages/server/src/control/control-client.ts";
import { openServer } from "../../packages/server/src/open-server.ts";

/** T58: a restored backup revives a key that was revoked after it was made. */
const root = mkdtempSync(join(tmpdir(), "valet-t58-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const passphrase = "correct horse battery";
const file = join(root, "valet.backup");
const dataDir = join(root, "first");

async function open(folder: string) {
  const server = await openServer(
    readConfig({ VALET_DATA_DIR: folder, VALET_LOG_LEVEL: "silent" }),
  );
  const control = createControlClient(async (path, init) =>
    server.control.request(`http://valet${path}`, init),
  );
  return { server, control };
}

test("a key revoked after the backup stays revoked, or whoever restores is told that nothing could say so", async () => {
  const { server, control } = await open(dataDir);
  const { project } = await control.post<{ project: { id: string } }>("/projects", { name: "P" });
  const base = `http://valet/agent/v1/projects/${project.id}/agent`;
  const key = await control.post<{ id: string; secret: string }>(`/projects/${project.id}/keys`, {
    name: "leaked",
  });
  const use = async (at: typeof server) =>
    (
      await at.app.request(`${base}/sessions/`, {
        method: "POST",
        headers: { "x-api-key": key.secret },
      })
    ).status;
  expect(await use(server)).toBe(201);
  for await (const line of control.lines<object>("/backups", { file, passphrase })) {
    expect(line).not.toHaveProperty("error");
  }
  await control.post(`/projects/${project.id}/keys/${key.id}/revoke`);
  expect(await use(server)).toBe(401);
  await server.close();

  // Where the database that knows is still there.
  const over = await restore({ file, passphrase, dataDir, replace: true });
  expect(over.carriedOver?.keys).toBe(1);
  const restored = await open(dataDir);
  expect(await use(restored.server)).toBe(401);
  await restored.server.close();

  // Where nothing is: it is said in words, with the key by name, and one option ends it.
  const fresh = await restore({ file, passphrase, dataDir: join(root, "second") });
  const told = describeRestored(fresh).join("\n");
  expect(told).toContain(`after ${fresh.madeAt} is NOT in the backup`);
  expect(told).toContain(`${key.id}  leaked`);
  const third = join(root, "third");
  await restore({ file, passphrase, dataDir: third, revokeKeys: [key.id], endSessions: true });
  const ended = await open(third);
  expect(await use(ended.server)).toBe(401);
  await ended.server.close();
});
