import { afterAll, beforeAll, expect, test } from "vitest";
import { createApiKey } from "../../packages/server/src/api-keys/api-key-format.ts";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";

/** T28: somebody writes `X-Forwarded-For` to look like somebody else. */
let direct: AttackedServer;
let proxied: AttackedServer;
beforeAll(async () => {
  direct = await openAttackedServer();
  proxied = await openAttackedServer({ VALET_TRUSTED_PROXIES: "127.0.0.0/8" });
});
afterAll(async () => {
  await direct?.close();
  await proxied?.close();
});

/** How many of 65 wrong keys were told only that they are wrong, before the address was told to wait. */
async function guesses(
  server: AttackedServer,
  headersOf: (guess: number) => Record<string, string>,
) {
  server.clock.ms += 3_600_000;
  let told = 0;
  for (let guess = 0; guess < 65; guess += 1) {
    const { status } = await server.send(`${server.base}/sessions/`, {
      method: "POST",
      headers: { "x-api-key": createApiKey().text, ...headersOf(guess) },
    });
    if (status === 401) told += 1;
  }
  return told;
}

test("without trusted proxies no header gives a fresh count of failures", async () => {
  for (const name of [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
    "x-valet-client-address",
  ]) {
    expect([name, await guesses(direct, (guess) => ({ [name]: `203.0.113.${guess}` }))]).toEqual([
      name,
      60,
    ]);
  }
});

test("behind a proxy what the client wrote at the left gives no fresh count; whom the proxy saw does", async () => {
  const spoofed = (guess: number) => ({ "x-forwarded-for": `203.0.113.${guess}, 198.51.100.7` });
  expect(await guesses(proxied, spoofed)).toBe(60);
  const real = (guess: number) => ({ "x-forwarded-for": `1.1.1.1, 203.0.113.${guess}` });
  expect(await guesses(proxied, real)).toBe(65);
});

test("guesses at a password are counted by the true address, too", async () => {
  const statuses: number[] = [];
  for (let guess = 0; guess < 12; guess += 1) {
    const answer = await proxied.fetch("http://localhost:4747/admin/v1/auth/sign-in/email", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        origin: "http://localhost:4747",
        "x-forwarded-for": `203.0.113.${guess}, 198.51.100.28`,
        "x-valet-client-address": `203.0.113.${guess}`,
      },
      body: JSON.stringify({ email: "ada@example.com", password: `wrong password ${guess}` }),
    });
    statuses.push(answer.status);
  }
  expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
  expect(statuses.slice(10)).toEqual([429, 429]);
});
