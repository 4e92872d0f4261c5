import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";
import { password, setupCode } from "../support/people.ts";

/** T54: a set-up link is used again, too late, or guessed. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

let people = 0;
const spend = async (code: string) => {
  people += 1;
  const answer = await server.fetch("http://localhost:4747/admin/v1/setup", {
    method: "POST",
    headers: { "content-type": "application/json", origin: "http://localhost:4747" },
    body: JSON.stringify({ code, name: "Eve", email: `eve${people}@example.com`, password }),
  });
  return answer.status;
};

test("a link works once", async () => {
  const code = await setupCode(server);
  expect(await spend(code)).toBe(201);
  expect(await spend(code)).toBe(403);
});

test("a link works for an hour", async () => {
  const code = await setupCode(server);
  server.clock.ms += 3_600_000;
  expect(await spend(code)).toBe(403);
});

test("a link is in nobody's reach: its code is 190 bits, stands behind the #, and only its digest is stored", async () => {
  const { url } = await server.control.post<{ url: string }>("/setup-links");
  const { hash, search, pathname } = new URL(url);
  expect([search, pathname]).toEqual(["", "/setup"]);
  expect(hash).toMatch(/^#[0-9A-Za-z]{32}$/);
  for (const near of [hash.slice(1, -1), `${hash.slice(1)}0`, hash.slice(1).toLowerCase()]) {
    expect(await spend(near)).toBe(403);
  }
  expect(server.log()).not.toContain(hash.slice(1));
});
