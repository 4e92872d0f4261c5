import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, question } from "../support/attacked-server.ts";
import { type ModelEndpoint, openModelEndpoint } from "../support/model-endpoint.ts";

/** T59: a visitor drops the cookie, comes back as somebody new, and wants fresh limits. */
let model: ModelEndpoint;
let server: AttackedServer;
const set = async (settings: object) => {
  const answer = await server.server.control.request(
    `http://valet/projects/${server.projectId}/settings`,
    {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(settings),
    },
  );
  expect(answer.status).toBe(200);
};
beforeAll(async () => {
  model = await openModelEndpoint();
  server = await openAttackedServer(model.variables);
});
afterAll(async () => {
  await server?.close();
  await model?.close();
});

let visitors = 0;
/** Somebody new from an address asks one question. */
async function askFrom(address: string): Promise<number> {
  visitors += 1;
  const { session_token: token } = await server.mint({
    visitor_id: `visitor-${visitors}`,
    visitor_ip: address,
  });
  const answer = await server.as(token, "/chat/", { method: "POST", body: question("Is it?") });
  await answer.text();
  return answer.status;
}

test("new visitors from one address share the address's count of questions", async () => {
  await set({ limits: { visitor_address: { per_minute: 5 } } });
  const statuses: number[] = [];
  for (let at = 0; at < 8; at += 1) statuses.push(await askFrom("203.0.113.7"));
  expect(statuses).toEqual([...Array(5).fill(200), 429, 429, 429]);
  expect(await askFrom("203.0.113.8")).toBe(200);
});

test("addresses of one IPv6 network count as one", async () => {
  await set({ limits: { visitor_address: { per_minute: 3 } } });
  const statuses: number[] = [];
  for (let at = 1; at <= 5; at += 1) statuses.push(await askFrom(`2001:db8:1:2::${at}`));
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
});

test("whoever has many addresses meets the project's cap on what visitors ask in a day", async () => {
  server.clock.ms += 86_400_000;
  await set({ visitors: { turns_per_day: 4 } });
  const statuses: number[] = [];
  for (let at = 1; at <= 6; at += 1) statuses.push(await askFrom(`198.51.100.${at}`));
  expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
  const { session_token: signedIn } = await server.mint({ external_owner_id: "jo" });
  const answer = await server.as(signedIn, "/chat/", { method: "POST", body: question("Is it?") });
  await answer.text();
  expect(answer.status).toBe(200);
});
