import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { readConfig } from "../../packages/server/src/config.ts";
import { openServer } from "../../packages/server/src/open-server.ts";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";

/** T24: the server's clock steps, and a session escapes "everything made until now". */
let server: AttackedServer;
const folder = mkdtempSync(join(tmpdir(), "valet-clock-"));
beforeEach(async () => {
  server = await openAttackedServer();
});
afterEach(() => server.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const body = (targets: object[]) => ({
  method: "POST",
  headers: { "x-api-key": server.apiKey, "content-type": "application/json" },
  body: JSON.stringify({ targets }),
});
const status = async (token: string) => (await server.as(token, "/session/")).status;

test.each([-30_000, -1, 0, 1, 30_000])(
  "with a step of %i ms between, an owner's earlier session ends and a later one does not",
  async (stepMs) => {
    const { session_token: before } = await server.mint({ external_owner_id: "jo" });
    expect(await status(before)).toBe(200);
    server.clock.ms += stepMs;
    const revoked = await server.send(`${server.base}/revocations/`, body([{ owner: "jo" }]));
    expect(revoked.status).toBe(200);
    expect(await status(before)).toBe(401);
    const { session_token: after } = await server.mint({ external_owner_id: "jo" });
    expect(await status(after)).toBe(200);
    server.clock.ms -= 10_000;
    expect([await status(before), await status(after)]).toEqual([401, 200]);
  },
);

test("a server that starts again with its clock set back still ends what was made before", async () => {
  const { session_token: before } = await server.mint({ external_owner_id: "jo" });
  cpSync(server.folder, folder, { recursive: true, filter: (path) => !path.endsWith(".sock") });
  const again = await openServer(
    readConfig({ VALET_DATA_DIR: folder, VALET_LOG_LEVEL: "silent" }),
    { now: () => server.clock.ms - 30_000 },
  );
  try {
    const ask = async () =>
      (
        await again.app.request(`${server.base}/session/`, {
          headers: { authorization: `Bearer ${before}` },
        })
      ).status;
    expect(await ask()).toBe(200);
    const answer = await again.app.request(`${server.base}/revocations/`, body([{ owner: "jo" }]));
    expect(answer.status).toBe(200);
    expect(await ask()).toBe(401);
  } finally {
    await again.close();
  }
});
