import { BlockList } from "node:net";
import { parseIpAddress } from "./ip-address.ts";

/** A set of addresses, made once from its text so that asking parses no ranges. */
export interface IpRanges {
  /** What it was made from, tidied. */
  readonly entries: readonly string[];
  /** Whether an address is in it. What is no address is in none. */
  has(address: string): boolean;
}

/** An entry that is neither an address nor a range; `entry` is it, `index` where it stood. */
export class IpRangeError extends Error {
  override readonly name = "IpRangeError";
  readonly entry: string;
  readonly index: number;

  constructor(entry: string, index: number) {
    super(`${entry} is neither an IP address nor a CIDR range such as 203.0.113.0/24.`);
    this.entry = entry;
    this.index = index;
  }
}

const mappedPrefixBits = 96;

/**
 * Reads addresses and CIDR ranges of IPv4 and IPv6. IPv4 is the same whether it comes inside IPv6
 * (`::ffff:203.0.113.0/120`) or as itself; bits behind the prefix do not count.
 *
 * @throws {@link IpRangeError} At the first entry that is neither: a range that is silently never
 *   matched would shut out, or let in, whom nobody meant.
 */
export function parseIpRanges(texts: readonly string[]): IpRanges {
  // One for each family: a list that holds both takes IPv4 for a part of `::/0`.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  const entries = texts.map((text, index) => {
    const entry = text.trim();
    const range = parseRange(entry);
    if (!range) throw new IpRangeError(entry, index);
    lists[range.family].addSubnet(range.address, range.prefix, range.family);
    return entry;
  });
  return {
    entries,
    has(address) {
      const parsed = parseIpAddress(address);
      return parsed !== undefined && lists[parsed.family].check(parsed.text, parsed.family);
    },
  };
}

function parseRange(
  entry: string,
): { address: string; prefix: number; family: "ipv4" | "ipv6" } | undefined {
  const match = /^([0-9a-fA-F.:]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(entry);
  const written = match?.[1];
  const parsed = written === undefined ? undefined : parseIpAddress(written);
  if (!written || !parsed) return undefined;
  const isMapped = parsed.family === "ipv4" && written.includes(":");
  const most = written.includes(":") ? 128 : 32;
  const said = match?.[2] === undefined ? most : Number(match[2]);
  const prefix = isMapped ? said - mappedPrefixBits : said;
  if (said > most || prefix < 0) return undefined;
  return { address: parsed.text, prefix, family: parsed.family };
}
