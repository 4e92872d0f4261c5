import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, question } from "../support/attacked-server.ts";

/** T14: one person reads the conversations of another. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const routes = [
  ["GET", (id: string) => `/threads/${id}/`],
  ["GET", (id: string) => `/chat/${id}/stream/`],
  ["POST", (id: string) => `/chat/${id}/stop/`],
  ["POST", (id: string) => `/threads/${id}/feedback/`],
  ["DELETE", (id: string) => `/threads/${id}/`],
] as const;

/** What can be seen of an answer, without what differs between any two. */
async function seen(answer: Response): Promise<unknown> {
  const headers = [...answer.headers.keys()].sort();
  const text = (await answer.text()).replace(/req_\w+/g, "req");
  return [answer.status, headers, text];
}

test("nobody but its owner reaches a thread, by any route, and cannot tell it from one that is not there", async () => {
  const { session_token: victim } = await server.mint({ external_owner_id: "victim" });
  const asked = await server.as(victim, "/chat/", {
    method: "POST",
    body: question("My secret is 4711."),
  });
  const id = asked.headers.get("x-thread-id") ?? "";
  await asked.text();
  expect(id).toMatch(/^thr_/);
  const foreign = await server.newProject("Other");
  const attackers = [
    (await server.mint({ external_owner_id: "attacker" })).session_token,
    (await server.mint()).session_token,
    (await server.mint({ external_owner_id: "victim " })).session_token,
    (await server.mint({ external_owner_id: "Victim" })).session_token,
  ];
  const none = `thr_${"0".repeat(22)}`;
  for (const token of attackers) {
    for (const [method, path] of routes) {
      const body = method === "POST" && path("").includes("feedback");
      const init = {
        method,
        ...(body && { body: JSON.stringify({ message_id: "msg_1", rating: "up" }) }),
      };
      const there = await seen(await server.as(token, path(id), init));
      const nowhere = await seen(await server.as(token, path(none), init));
      expect([method, path(""), there]).toEqual([method, path(""), nowhere]);
      expect([404, 409]).toContain((there as [number])[0]);
    }
    const mine = await server.as(token, "/chat/", {
      method: "POST",
      body: question("What is my secret?", { id }),
    });
    expect(mine.status).toBe(404);
  }
  // The same owner's name in another project is another person.
  const made = await server.send(`${foreign.base}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": foreign.apiKey, "content-type": "application/json" },
    body: JSON.stringify({ external_owner_id: "victim" }),
  });
  const { session_token: namesake } = (await made.json()) as { session_token: string };
  for (const base of [server.base, foreign.base]) {
    const answer = await server.send(`${base}/threads/${id}/`, {
      headers: { authorization: `Bearer ${namesake}` },
    });
    expect(answer.status).toBe(404);
  }
  // Whose it is has it still, whole.
  const whole = await server.as(victim, `/threads/${id}/`);
  expect([whole.status, await whole.text()]).toEqual([200, expect.stringContaining("4711")]);
  const list = await server.as(attackers[0] ?? "", "/threads/");
  expect(await list.text()).not.toContain("4711");
});
