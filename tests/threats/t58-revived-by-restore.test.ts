import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { only, readAnswer } from "../../packages/server/src/agent/testing/agent-harness.ts";
import {
  calls,
  createScriptedModel,
  finishes,
  says,
} from "../../packages/server/src/agent/testing/scripted-model.ts";
import { createTicketTool } from "../../packages/server/src/agent/testing/some-tools.ts";
import { restore } from "../../packages/server/src/backup/restore.ts";
import { readConfig } from "../../packages/server/src/config.ts";
import { openServer } from "../../packages/server/src/open-server.ts";
import { openAttackedServer, problemOf, question } from "../support/attacked-server.ts";

/** T58: a restored backup brings back a key, a session or a person that was ended after it was made. */
const folder = mkdtempSync(join(tmpdir(), "valet-revived-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a call that was approved after the backup was made cannot be approved again after the restore", async () => {
  const { tool, runs } = createTicketTool();
  const model = createScriptedModel(({ prompt }) =>
    prompt.at(-1)?.role === "user"
      ? [calls("c_1", "create_ticket", { title: "one" }), finishes("tool-calls")]
      : [...says("Done."), finishes()],
  );
  const options = { model, serverTools: [tool] };
  const server = await openAttackedServer({}, options);
  const dataDir = join(folder, "calls");
  const file = join(folder, "calls.backup");
  const passphrase = "correct horse battery staple";
  try {
    const { session_token: token } = await server.mint({ external_owner_id: "jo" });
    const chat = (body: string) => ({
      method: "POST",
      body,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    });
    const asked = await readAnswer(await server.send(`${server.base}/chat/`, chat(question("Do"))));
    const [request] = only(asked.parts, "tool-approval-request");
    for await (const _ of server.control.lines("/backups", { file, passphrase })) void _;
    const approvals = [{ approvalId: request?.approvalId, approved: true }];
    const decision = chat(JSON.stringify({ id: asked.threadId, approvals }));
    await readAnswer(await server.send(`${server.base}/chat/`, decision));
    expect(runs).toHaveLength(1);

    cpSync(server.folder, dataDir, { recursive: true, filter: (path) => !path.endsWith(".sock") });
    await restore({ file, passphrase, dataDir, replace: true, now: () => server.clock.ms });
    const variables = { VALET_DATA_DIR: dataDir, VALET_LOG_LEVEL: "silent" };
    const now = () => server.clock.ms;
    const again = await openServer(readConfig(variables), { ...options, now });
    try {
      const answer = await again.app.request(`${server.base}/chat/`, decision);
      expect(await problemOf(answer)).toBe("409 approval_decided");
      expect(runs).toHaveLength(1);
    } finally {
      await again.close();
    }
  } finally {
    await server.close();
  }
});

test("what was ended after the backup was made stays ended when it is restored over the data that knows", async () => {
  const server = await openAttackedServer();
  const dataDir = join(folder, "data");
  const file = join(folder, "valet.backup");
  const passphrase = "correct horse battery staple";
  try {
    const { id, secret } = await server.newKey();
    const { session_token: ofKey } = await server.mint({}, secret);
    const { session_token: ended, session_id: sid } = await server.mint();
    const { session_token: blocked } = await server.mint({ external_owner_id: "jo" });
    const { session_token: alive } = await server.mint();
    for await (const _ of server.control.lines("/backups", { file, passphrase })) void _;

    const key = { "x-api-key": server.apiKey, "content-type": "application/json" };
    await server.control.post(`/projects/${server.projectId}/keys/${id}/revoke`);
    await server.send(`${server.base}/sessions/${sid}/`, { method: "DELETE", headers: key });
    await server.send(`${server.base}/revocations/`, {
      method: "POST",
      headers: key,
      body: JSON.stringify({ targets: [{ owner: "jo" }], block: true }),
    });
    cpSync(server.folder, dataDir, { recursive: true, filter: (path) => !path.endsWith(".sock") });

    await restore({ file, passphrase, dataDir, replace: true, now: () => server.clock.ms });
    const again = await openServer(
      readConfig({ VALET_DATA_DIR: dataDir, VALET_LOG_LEVEL: "silent" }),
      { now: () => server.clock.ms },
    );
    try {
      const ask = async (token: string) =>
        (
          await again.app.request(`${server.base}/session/`, {
            headers: { authorization: `Bearer ${token}` },
          })
        ).status;
      const mint = async (apiKey: string, body = {}) =>
        (
          await again.app.request(`${server.base}/sessions/`, {
            method: "POST",
            headers: { ...key, "x-api-key": apiKey },
            body: JSON.stringify(body),
          })
        ).status;
      expect(await mint(server.apiKey)).toBe(201);
      expect(await ask(alive)).toBe(200);
      expect(await mint(secret)).toBe(401);
      expect(await ask(ofKey)).toBe(401);
      expect(await ask(ended)).toBe(401);
      expect(await ask(blocked)).toBe(401);
      expect(await mint(server.apiKey, { external_owner_id: "jo" })).toBe(403);
    } finally {
      await again.close();
    }
  } finally {
    await server.close();
  }
});
