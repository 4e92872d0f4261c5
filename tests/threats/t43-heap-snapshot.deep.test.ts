import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  createControlClient,
  socketFetch,
} from "../../packages/server/src/control/control-client.ts";
import { freePort, startProgram } from "../support/programs.ts";

/** T43: somebody reads the memory of the server, as a crash report or a heap dump holds it. */
const folder = mkdtempSync(join(tmpdir(), "valet-heap-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The snapshot that the server has written when it is whole. */
async function readSnapshot(): Promise<string> {
  for (let wait = 0; wait < 600; wait += 1) {
    const file = readdirSync(folder).find((name) => name.endsWith(".heapsnapshot"));
    if (file) {
      const { size } = statSync(join(folder, file));
      await pause(1_000);
      if (size > 0 && statSync(join(folder, file)).size === size) {
        return readFileSync(join(folder, file), "latin1");
      }
    }
    await pause(100);
  }
  throw new Error("There is no heap snapshot.");
}

test("a heap snapshot of a server that has used keys and tokens holds none of them", async () => {
  const port = await freePort();
  const dataDir = join(folder, "data");
  const program = await startProgram(
    [
      "--heapsnapshot-signal=SIGUSR2",
      `--diagnostic-dir=${folder}`,
      "packages/server/dist/main.js",
      "start",
      "--json-ready",
    ],
    { VALET_DATA_DIR: dataDir, VALET_PORT: String(port), VALET_LOG_LEVEL: "error" },
  );
  const control = createControlClient(socketFetch(join(dataDir, "control.sock")));
  const { project } = await control.post<{ project: { id: string } }>("/projects", { name: "P" });
  const base = `http://127.0.0.1:${port}/agent/v1/projects/${project.id}/agent`;
  const send = async (path: string, headers: Record<string, string>, method = "GET") => {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers: { ...headers, connection: "close" },
    });
    return { status: answer.status, body: await answer.text() };
  };
  const secrets: string[] = [];
  for (let made = 0; made < 5; made += 1) {
    const { secret } = await control.post<{ secret: string }>(`/projects/${project.id}/keys`, {
      name: "k",
    });
    secrets.push(secret);
    for (let used = 0; used < 5; used += 1) {
      const minted = await send("/sessions/", { "x-api-key": secret }, "POST");
      const { session_token: token } = JSON.parse(minted.body) as { session_token: string };
      secrets.push(token);
      expect((await send("/session/", { authorization: `Bearer ${token}` })).status).toBe(200);
    }
  }
  // What the last requests left in buffers and in the engine's own memory of its last match.
  for (let other = 0; other < 500; other += 1) {
    await send("/session/", { authorization: `Bearer SA${"x".repeat(62)}` });
  }
  await pause(500);
  const { pid } = await control.get<{ pid: number }>("/status");
  process.kill(pid, "SIGUSR2");
  const snapshot = await readSnapshot();
  await program.stop();
  // What is not secret is there: the search finds what there is.
  expect(snapshot).toContain(project.id);
  expect(secrets.filter((secret) => snapshot.includes(secret))).toEqual([]);
});
