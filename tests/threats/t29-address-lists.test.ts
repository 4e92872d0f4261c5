import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, problemOf } from "../support/attacked-server.ts";

/** T29: a list of addresses that is written in good faith and silently never matches. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer({ VALET_TRUSTED_PROXIES: "127.0.0.1" });
});
afterAll(() => server.close());

const from = (key: string, address: string) =>
  server.send(`${server.base}/sessions/`, {
    method: "GET",
    headers: { "x-api-key": key, "x-forwarded-for": address },
  });

test("a range lets in who is in it and nobody else, in IPv4, IPv6 and IPv4 inside IPv6", async () => {
  const { secret } = await server.newKey({
    ip_allow: ["203.0.113.0/24", "198.51.100.7", "2001:db8:1::/48", "::ffff:192.0.2.0/120"],
  });
  for (const inside of [
    "203.0.113.0",
    "203.0.113.255",
    "198.51.100.7",
    "2001:db8:1:ffff::1",
    "192.0.2.9",
    "::ffff:203.0.113.9",
  ]) {
    expect([inside, (await from(secret, inside)).status]).toEqual([inside, 200]);
  }
  for (const outside of [
    "203.0.114.0",
    "198.51.100.8",
    "2001:db8:2::1",
    "192.0.3.1",
    "::1",
    "10.0.0.1",
  ]) {
    expect([outside, await problemOf(from(secret, outside))]).toEqual([
      outside,
      "403 ip_not_allowed",
    ]);
  }
  // What the client itself wrote at the left does not count.
  expect(await problemOf(from(secret, "203.0.113.1, 10.0.0.1"))).toBe("403 ip_not_allowed");
});

test("an entry that could never match is refused when it is written", async () => {
  for (const entry of [
    "203.0.113.0/33",
    "203.0.113",
    "10.0.0.0-10.0.0.9",
    "*",
    "localhost",
    "203.0.113.*",
    "::/129",
    "",
    "10.0.0.0/08",
  ]) {
    await expect(server.newKey({ ip_allow: ["203.0.113.1", entry] })).rejects.toThrow(
      /ip_allow\[1\]/,
    );
  }
  const { keys } = await server.control.get<{ keys: unknown[] }>(
    `/projects/${server.projectId}/keys`,
  );
  expect(keys).toHaveLength(2);
});
