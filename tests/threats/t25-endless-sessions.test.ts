import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";

/** T25: a page makes sessions without end through the customer's session endpoint. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const mint = async (body: object) => {
  const answer = await server.send(`${server.base}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": server.apiKey, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const { session_token: token = "" } = (await answer.json()) as { session_token?: string };
  return { status: answer.status, token, retryAfter: answer.headers.get("retry-after") };
};

test.each([
  ["an owner", 30, (at: number) => ({ external_owner_id: "jo", metadata: { at } })],
  ["a visitor", 10, (at: number) => ({ visitor_id: "v", metadata: { at } })],
  [
    "a visitor's address",
    30,
    (at: number) => ({ visitor_id: `v${at}`, visitor_ip: "203.0.113.7" }),
  ],
])("%s gets so many sessions a minute and then has to wait", async (_, most, body) => {
  server.clock.ms += 3_600_000;
  for (let made = 0; made < most; made += 1) expect((await mint(body(made))).status).toBe(201);
  const refused = await mint(body(most));
  expect(refused.status).toBe(429);
  expect(Number(refused.retryAfter)).toBeGreaterThan(0);
});

test("a key gets no more than 100 at once, whomever it names", async () => {
  server.clock.ms += 3_600_000;
  const statuses: number[] = [];
  for (let made = 0; made < 105; made += 1) {
    statuses.push((await mint({ external_owner_id: `person-${made}` })).status);
  }
  expect(statuses.filter((status) => status === 201)).toHaveLength(100);
});

test("an owner never has more than 50 live sessions: the one that was idle for longest ends", async () => {
  const tokens: string[] = [];
  for (let made = 0; made < 51; made += 1) {
    server.clock.ms += 2_000;
    tokens.push((await mint({ external_owner_id: "al" })).token);
  }
  const statuses: number[] = [];
  for (const token of tokens) statuses.push((await server.as(token, "/session/")).status);
  expect(statuses).toEqual([401, ...Array(50).fill(200)]);
});
