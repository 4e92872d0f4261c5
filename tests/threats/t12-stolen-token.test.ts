import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type AttackedServer,
  openAttackedServer,
  problemOf,
  question,
} from "../support/attacked-server.ts";

/** T12: script in the customer's page steals the token of whoever looks at it. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const chat = (token: string) =>
  server.as(token, "/chat/", { method: "POST", body: question("Is it?") });

test("a stolen token buys what was left of its budget and nothing more", async () => {
  const { session_token: stolen } = await server.mint({ limits: { turns: 3 } });
  await (await chat(stolen)).text();
  for (const turn of [2, 3]) {
    const answer = await chat(stolen);
    expect([turn, answer.status]).toEqual([turn, 200]);
    await answer.text();
  }
  for (const _ of [4, 5]) expect(await problemOf(chat(stolen))).toBe("429 budget_exhausted");
});

test("a stolen token ends after an hour at the latest, and cannot renew itself", async () => {
  const { session_token: stolen } = await server.mint();
  expect(await problemOf(server.as(stolen, "/sessions/", { method: "POST" }))).toBe(
    "401 missing_credential",
  );
  server.clock.ms += 3_601_000;
  expect(await problemOf(server.as(stolen, "/session/"))).toBe("401 token_expired");
});

test("a long life cannot be asked for where the project has not said so", async () => {
  const answer = await server.send(`${server.base}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": server.apiKey, "content-type": "application/json" },
    body: JSON.stringify({ ttl_seconds: 86_400 }),
  });
  expect(await problemOf(answer)).toBe("400 invalid_request");
});

test("the customer's server ends every token of the person by name, the stolen one too", async () => {
  const { session_token: stolen } = await server.mint({ external_owner_id: "jo" });
  const { session_token: neighbour } = await server.mint({ external_owner_id: "al" });
  expect((await server.as(stolen, "/session/")).status).toBe(200);
  const revoked = await server.send(`${server.base}/revocations/`, {
    method: "POST",
    headers: { "x-api-key": server.apiKey, "content-type": "application/json" },
    body: JSON.stringify({ targets: [{ owner: "jo" }] }),
  });
  expect(revoked.status).toBe(200);
  expect(await problemOf(server.as(stolen, "/session/"))).toBe("401 token_revoked");
  expect((await server.as(neighbour, "/session/")).status).toBe(200);
});
