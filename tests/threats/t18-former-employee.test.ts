import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type AttackedServer,
  type MintedSession,
  openAttackedServer,
} from "../support/attacked-server.ts";

/** T18: somebody who has left still has a key, and sessions made with it. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const status = async (token: string) => {
  const answer = await server.as(token, "/session/");
  return `${answer.status} ${((await answer.json()) as { code?: string }).code ?? ""}`.trim();
};

test("a revoked key ends every session made with it, and none of another key", async () => {
  const { id, secret } = await server.newKey();
  const sessions: MintedSession[] = [];
  for (let made = 0; made < 120; made += 1) {
    if (made % 90 === 0) server.clock.ms += 60_000;
    sessions.push(await server.mint({ external_owner_id: `person-${made}` }, secret));
  }
  const { session_token: neighbour } = await server.mint();
  // Some are in memory, the others are not.
  for (const { session_token } of sessions.slice(0, 60))
    expect(await status(session_token)).toBe("200");
  await server.control.post(`/projects/${server.projectId}/keys/${id}/revoke`);
  for (const { session_token } of sessions)
    expect(await status(session_token)).toBe("401 token_revoked");
  expect(await status(neighbour)).toBe("200");
});

test("no session outlives its key, however closely it was made to the revocation", async () => {
  for (let round = 0; round < 10; round += 1) {
    server.clock.ms += 60_000;
    const { id, secret } = await server.newKey();
    const mints = Array.from({ length: 8 }, (_, at) =>
      new Promise((resolve) => setTimeout(resolve, at)).then(() =>
        server.send(`${server.base}/sessions/`, {
          method: "POST",
          headers: { "x-api-key": secret },
        }),
      ),
    );
    const revoking = new Promise((resolve) => setTimeout(resolve, 3)).then(() =>
      server.control.post(`/projects/${server.projectId}/keys/${id}/revoke`),
    );
    const answers = await Promise.all(mints);
    await revoking;
    for (const answer of answers) {
      const body = (await answer.json()) as { session_token?: string; code?: string };
      if (body.session_token === undefined)
        expect([answer.status, body.code]).toEqual([401, "key_revoked"]);
      else expect(await status(body.session_token)).toBe("401 token_revoked");
    }
  }
});
