import { isIPv4, isIPv6 } from "node:net";

/** An IP address in its one form: IPv4 inside IPv6 (`::ffff:1.2.3.4`) is IPv4. */
export interface IpAddress {
  readonly family: "ipv4" | "ipv6";
  /** `203.0.113.7`, or eight groups of IPv6 without leading zeros, such as `2001:db8:0:0:0:0:0:1`. */
  readonly text: string;
}

/** Reads an address as it stands alone, without a port. A zone (`%eth0`) is left out. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { family: "ipv4", text };
  if (!isIPv6(text)) return undefined;
  const groups = toGroups(text.replace(/%.*$/, ""));
  if (isMapped(groups)) return { family: "ipv4", text: toIpv4(groups) };
  return { family: "ipv6", text: groups.map((group) => group.toString(16)).join(":") };
}

/**
 * The network that an address belongs to, as far as it may be written down: /24 of IPv4, /48 of
 * IPv6, `unknown` for what is no address.
 */
export function networkOf(address: string): string {
  const parsed = parseIpAddress(address);
  if (!parsed) return "unknown";
  if (parsed.family === "ipv4") return `${parsed.text.split(".").slice(0, 3).join(".")}.0/24`;
  return `${parsed.text.split(":").slice(0, 3).join(":")}::/48`;
}

/** The eight numbers of a well-formed IPv6 address. */
function toGroups(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const before = readGroups(head);
  if (tail === undefined) return before;
  const after = readGroups(tail);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function readGroups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

function toIpv4(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
