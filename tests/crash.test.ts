import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";
import { createControlClient, socketFetch } from "../packages/server/src/control/control-client.ts";
import { cleanEnvironment, freePort, root } from "./support/programs.ts";

/** What a power cut may take, and what it may not. */
const folder = mkdtempSync(join(tmpdir(), "valet-crash-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rounds = 25;

async function start(port: number) {
  const dataDir = join(folder, "data");
  const child = spawn(process.execPath, ["packages/server/dist/main.js", "start", "--json-ready"], {
    cwd: root,
    env: cleanEnvironment({
      VALET_DATA_DIR: dataDir,
      VALET_PORT: String(port),
      VALET_LOG_LEVEL: "error",
    }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", () => resolve());
    child.once("exit", () => reject(new Error("The server did not start.")));
  });
  const control = createControlClient(socketFetch(join(dataDir, "control.sock")));
  return { child, exited, control };
}

/** Sends over a connection of its own, so that a killed server shows as an error at once. */
function send(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port, method, path, headers, agent: false },
      (answer) => {
        let body = "";
        answer.on("data", (piece) => {
          body += String(piece);
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
        answer.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end();
  });
}

test("a server killed at any moment has every key and session it answered for, and undoes no revocation", async () => {
  const keys = new Map<string, { secret: string; isRevoked: boolean | undefined }>();
  const sessions = new Map<
    string,
    { token: string; kid: string; isRevoked: boolean | undefined }
  >();
  let projectId = "";

  for (let round = 0; round < rounds; round += 1) {
    const port = await freePort();
    const { child, exited, control } = await start(port);
    if (projectId === "") {
      const made = await control.post<{ project: { id: string } }>("/projects", { name: "p" });
      projectId = made.project.id;
    }
    const base = `/agent/v1/projects/${projectId}/agent`;

    for (const [sid, { token, kid, isRevoked }] of sessions) {
      const { status } = await send(port, "GET", `${base}/session/`, {
        authorization: `Bearer ${token}`,
      });
      const isOver = isRevoked === true || keys.get(kid)?.isRevoked === true;
      const isUnknown = isRevoked === undefined || keys.get(kid)?.isRevoked === undefined;
      if (!isUnknown) expect([round, sid, status]).toEqual([round, sid, isOver ? 401 : 200]);
    }
    for (const [kid, { secret, isRevoked }] of keys) {
      const { status } = await send(port, "GET", `${base}/sessions/`, { "x-api-key": secret });
      if (isRevoked !== undefined) {
        expect([round, kid, status]).toEqual([round, kid, isRevoked ? 401 : 200]);
      }
    }

    // Works until it is killed; what was answered is noted, what was not is unknown.
    const killAfterMs = 20 + Math.floor(Math.random() * 150);
    const killer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    try {
      while (true) {
        const key = await control.post<{ id: string; secret: string }>(
          `/projects/${projectId}/keys`,
          { name: "k" },
        );
        keys.set(key.id, { secret: key.secret, isRevoked: false });
        for (let count = 0; count < 3; count += 1) {
          const minted = await send(port, "POST", `${base}/sessions/`, { "x-api-key": key.secret });
          const { session_id: sid, session_token: token } = JSON.parse(minted.body) as {
            session_id: string;
            session_token: string;
          };
          const session = { token, kid: key.id, isRevoked: false as boolean | undefined };
          sessions.set(sid, session);
          if (count > 0) continue;
          session.isRevoked = undefined;
          await send(port, "DELETE", `${base}/sessions/${sid}/`, { "x-api-key": key.secret });
          session.isRevoked = true;
        }
        if (Math.random() < 0.3) {
          keys.set(key.id, { secret: key.secret, isRevoked: undefined });
          await control.post(`/projects/${projectId}/keys/${key.id}/revoke`);
          keys.set(key.id, { secret: key.secret, isRevoked: true });
        }
      }
    } catch {
      // The server is gone, in the middle of something.
    }
    clearTimeout(killer);
    child.kill("SIGKILL");
    await exited;
  }
  expect(keys.size).toBeGreaterThan(rounds);
  expect(sessions.size).toBeGreaterThan(rounds);
});
