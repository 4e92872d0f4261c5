import type { Context } from "hono";
import { expect, test } from "vitest";
import type { AppEnv } from "./app-env.ts";
import { createClientAddress, walkForwardedFor } from "./client-address.ts";
import { networkOf } from "./ip-address.ts";
import { IpRangeError, parseIpRanges } from "./ip-ranges.ts";

const proxies = parseIpRanges(["10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1"]);

/** The connection's other end, `X-Forwarded-For`, and whom it is taken for. */
const chains: readonly (readonly [name: string, peer: string, header: string, is: string])[] = [
  ["no header", "10.0.0.1", "", "10.0.0.1"],
  ["one proxy", "10.0.0.1", "203.0.113.7", "203.0.113.7"],
  ["two proxies", "10.0.0.1", "203.0.113.7, 10.9.9.9", "203.0.113.7"],
  ["a spoofed left-most", "10.0.0.1", "1.1.1.1, 203.0.113.7", "203.0.113.7"],
  ["a spoofed proxy at the left", "10.0.0.1", "1.1.1.1, 10.2.2.2, 203.0.113.7", "203.0.113.7"],
  ["a spoofed loopback", "10.0.0.1", "127.0.0.1, 203.0.113.7", "203.0.113.7"],
  ["a client that is no proxy", "203.0.113.9", "1.1.1.1", "203.0.113.9"],
  ["a client that names a proxy", "203.0.113.9", "1.1.1.1, 10.0.0.1", "203.0.113.9"],
  ["proxies all the way", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
  ["unknown", "10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"],
  ["unknown further left", "10.0.0.1", "unknown, 10.0.0.2", "10.0.0.2"],
  ["garbage", "10.0.0.1", "203.0.113.7, <script>", "10.0.0.1"],
  ["an empty hop", "10.0.0.1", "203.0.113.7,", "10.0.0.1"],
  ["an obfuscated name", "10.0.0.1", "_hidden", "10.0.0.1"],
  ["numbers out of range", "10.0.0.1", "300.1.1.1", "10.0.0.1"],
  ["a port", "10.0.0.1", "203.0.113.7:54321", "203.0.113.7"],
  ["a port on a proxy", "10.0.0.1", "203.0.113.7, 10.0.0.2:443", "203.0.113.7"],
  ["IPv4 inside IPv6", "10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"],
  ["a proxy as IPv4 inside IPv6", "10.0.0.1", "203.0.113.7, ::ffff:a00:2", "203.0.113.7"],
  ["IPv6", "2001:db8:1::1", "2001:db8:2::7", "2001:db8:2:0:0:0:0:7"],
  ["IPv6 in brackets", "2001:db8:1::1", "[2001:db8:2::7]", "2001:db8:2:0:0:0:0:7"],
  ["IPv6 in brackets with a port", "10.0.0.1", "[2001:db8:2::7]:443", "2001:db8:2:0:0:0:0:7"],
  ["no spaces", "10.0.0.1", "1.1.1.1,203.0.113.7,10.0.0.2", "203.0.113.7"],
];

test.each(chains)("behind trusted proxies, %s", (_, peer, header, is) => {
  expect(walkForwardedFor(peer, header, proxies)).toBe(is);
});

function requestFrom(socket: object | undefined, header?: string): Context<AppEnv> {
  return {
    env: socket && { incoming: { socket } },
    req: { header: (name: string) => (name === "x-forwarded-for" ? header : undefined) },
  } as unknown as Context<AppEnv>;
}

test("with no trusted proxies the header counts for nothing", () => {
  const clientAddress = createClientAddress(parseIpRanges([]));
  const socket = { remoteAddress: "::ffff:198.51.100.4", destroyed: false };
  expect(clientAddress(requestFrom(socket, "1.1.1.1"))).toBe("198.51.100.4");
});

test("a request without a connection, or over a Unix socket, comes from loopback", () => {
  const clientAddress = createClientAddress(parseIpRanges([]));
  expect(clientAddress(requestFrom(undefined))).toBe("127.0.0.1");
  expect(clientAddress(requestFrom({ destroyed: false }))).toBe("127.0.0.1");
});

test("a connection that is gone does not pass for loopback, and is in no range", () => {
  const everywhere = parseIpRanges(["0.0.0.0/0", "::/0"]);
  const gone = createClientAddress(everywhere)(requestFrom({ destroyed: true }, "127.0.0.1"));
  expect(gone).toBe("unknown");
  expect(everywhere.has(gone)).toBe(false);
});

/** A range, what is in it, and what is not. */
const ranges: readonly (readonly [range: string, inside: string[], outside: string[]])[] = [
  ["203.0.113.7", ["203.0.113.7", "::ffff:203.0.113.7"], ["203.0.113.8", "::cb00:7107"]],
  ["203.0.113.0/24", ["203.0.113.0", "203.0.113.255"], ["203.0.114.0", "203.0.112.255"]],
  ["203.0.113.77/24", ["203.0.113.0", "203.0.113.255"], ["203.0.114.0"]],
  ["10.0.0.0/31", ["10.0.0.1"], ["10.0.0.2"]],
  ["0.0.0.0/0", ["8.8.8.8", "::ffff:8.8.8.8"], ["2001:db8::1", "unknown", ""]],
  ["2001:db8::/32", ["2001:db8::1", "2001:DB8:ffff::"], ["2001:db9::1", "32.1.13.184"]],
  ["2001:db8::1", ["2001:db8:0:0:0:0:0:1"], ["2001:db8::2"]],
  ["::/0", ["2001:db8::1", "::1"], ["10.0.0.1", "::ffff:10.0.0.1"]],
  ["::ffff:203.0.113.0/120", ["203.0.113.9", "::ffff:203.0.113.9"], ["203.0.114.9"]],
  ["::ffff:cb00:7107", ["203.0.113.7"], ["203.0.113.8"]],
  ["fe80::/10", ["fe80::1%eth0"], ["2001:db8::1"]],
];

test.each(ranges)("%s holds what it says and nothing else", (range, inside, outside) => {
  const { has } = parseIpRanges([range]);
  for (const address of inside) expect(has(address), address).toBe(true);
  for (const address of outside) expect(has(address), address).toBe(false);
});

test("an entry that is no address and no range is named", () => {
  const bad = ["10.0.0.0/33", "2001:db8::/129", "10.0.0", "10.0.0.0/-1", "10.0.0.0/08", "10/8"];
  for (const entry of [
    ...bad,
    "",
    "localhost",
    "10.0.0.1:80",
    "::ffff:10.0.0.0/64",
    "1.2.3.4/ 8",
  ]) {
    expect(() => parseIpRanges(["10.0.0.1", entry]), entry).toThrow(
      expect.objectContaining({ name: IpRangeError.name, entry, index: 1 }),
    );
  }
});

test("what is written down of an address is its network, never the whole", () => {
  expect(networkOf("203.0.113.7")).toBe("203.0.113.0/24");
  expect(networkOf("::ffff:203.0.113.7")).toBe("203.0.113.0/24");
  expect(networkOf("2001:db8:1:2:3::4")).toBe("2001:db8:1::/48");
  expect(networkOf("::1")).toBe("0:0:0::/48");
  expect(networkOf("unknown")).toBe("unknown");
});
