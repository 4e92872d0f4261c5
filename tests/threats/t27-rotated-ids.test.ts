import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, question } from "../support/attacked-server.ts";
import { type ModelEndpoint, openModelEndpoint } from "../support/model-endpoint.ts";

/** T27: somebody changes the ids that a client chooses, to get fresh limits. */
let model: ModelEndpoint;
let server: AttackedServer;
beforeAll(async () => {
  model = await openModelEndpoint();
  server = await openAttackedServer(model.variables);
  const set = await server.server.control.request(
    `http://valet/projects/${server.projectId}/settings`,
    {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ limits: { session: { per_minute: 4 }, owner: { per_minute: 6 } } }),
    },
  );
  expect(set.status).toBe(200);
});
afterAll(async () => {
  await server?.close();
  await model?.close();
});

const ask = async (token: string, at: number) => {
  const answer = await server.as(token, "/chat/", {
    method: "POST",
    headers: {
      "x-forwarded-for": `203.0.113.${at}`,
      "x-session-id": `${at}`,
      "user-agent": `${at}`,
    },
    body: question(`Is it ${at}?`, {
      id: `chat-${at}`,
      user: { id: `person-${at}` },
      integrationId: server.integrationId,
    }),
  });
  await answer.text();
  return answer.status;
};

test("a session has one count, whatever thread, person, message or address the requests name", async () => {
  const { session_token: token } = await server.mint();
  const statuses: number[] = [];
  for (let at = 0; at < 7; at += 1) statuses.push(await ask(token, at));
  expect(statuses).toEqual([200, 200, 200, 200, 429, 429, 429]);
});

test("an owner has one count over all of their sessions", async () => {
  const statuses: number[] = [];
  for (let at = 0; at < 9; at += 1) {
    const { session_token: token } = await server.mint({ external_owner_id: "jo" });
    statuses.push(await ask(token, at));
  }
  expect(statuses).toEqual([...Array(6).fill(200), 429, 429, 429]);
});
