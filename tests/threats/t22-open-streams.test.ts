import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, question } from "../support/attacked-server.ts";
import { type ModelEndpoint, openModelEndpoint } from "../support/model-endpoint.ts";

/** T22: an answer goes on being written to somebody whose session was ended. */
let model: ModelEndpoint;
let server: AttackedServer;
beforeAll(async () => {
  model = await openModelEndpoint({ isEndless: true });
  server = await openAttackedServer(model.variables);
});
afterAll(async () => {
  await server?.close();
  await model?.close();
});

const revocations = (body: object) =>
  server.send(`${server.base}/revocations/`, {
    method: "POST",
    headers: { "x-api-key": server.apiKey, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const ways: Record<string, (own: { sid: string; token: string; kid: string }) => Promise<unknown>> =
  {
    "its session": ({ sid }) =>
      server.send(`${server.base}/sessions/${sid}/`, {
        method: "DELETE",
        headers: { "x-api-key": server.apiKey },
      }),
    "its token, by the holder": ({ token }) => server.as(token, "/session/", { method: "DELETE" }),
    "its key": ({ kid }) => server.control.post(`/projects/${server.projectId}/keys/${kid}/revoke`),
    "its owner": () => revocations({ targets: [{ owner: "jo" }] }),
    "its owner, who is blocked": () => revocations({ targets: [{ owner: "jo" }], block: true }),
    "the whole project": () => revocations({ targets: [{ project: true }] }),
  };

test.each(Object.keys(ways))(
  "an open answer ends at once with the revocation of %s",
  async (way) => {
    await revocations({ targets: [{ owner: "jo" }], block: false });
    server.clock.ms += 1_000;
    const { id: kid, secret } = await server.newKey();
    const { session_token: token, session_id: sid } = await server.mint(
      { external_owner_id: "jo" },
      secret,
    );
    const answer = await server.as(token, "/chat/", { method: "POST", body: question("Is it?") });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let before = "";
    while (!before.includes("more")) before += (await reader?.read())?.value ?? "";

    await ways[way]?.({ sid, token, kid });
    // Whatever still comes was written before the revocation was answered; then comes the end.
    let rest = "";
    const untilMs = performance.now() + 5_000;
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
      rest += piece.value;
      if (performance.now() > untilMs) break;
    }
    expect(rest).toMatch(/"code":"(?:token|key)_revoked"/);
    expect(rest.trimEnd().endsWith("data: [DONE]")).toBe(true);
    for (let wait = 0; model.open() > 0 && wait < 200; wait += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(model.open()).toBe(0);
    expect((await server.as(token, "/session/")).status).toBe(401);
  },
);
