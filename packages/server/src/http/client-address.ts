import type { Context } from "hono";
import type { AppEnv } from "./app-env.ts";
import { parseIpAddress } from "./ip-address.ts";
import type { IpRanges } from "./ip-ranges.ts";

/** Where a request came from: an address in its one form, or `unknown`, which is in no range. */
export type ClientAddress = (c: Context<AppEnv>) => string;

/** What the Node.js adapter puts beside a request. */
interface Connection {
  readonly incoming?: {
    readonly socket?: { readonly remoteAddress?: string | undefined; readonly destroyed: boolean };
  };
}

const loopback = "127.0.0.1";
const unknown = "unknown";

/**
 * Creates the one way to learn a client's address. `X-Forwarded-For` is believed only as far as
 * proxies that the operator trusts have written it; `Forwarded` (RFC 7239) is not read.
 */
export function createClientAddress(trusted: IpRanges): ClientAddress {
  return (c) => {
    const peer = peerAddress((c.env ?? {}) as Connection);
    // Without proxies nobody's word is needed, and nobody's is taken.
    if (trusted.entries.length === 0) return peer;
    return walkForwardedFor(peer, c.req.header("x-forwarded-for") ?? "", trusted);
  };
}

/** The other end of the connection. What came over none, or over a Unix socket, came from here. */
function peerAddress({ incoming }: Connection): string {
  const socket = incoming?.socket;
  if (!socket) return loopback;
  if (socket.remoteAddress !== undefined) {
    return parseIpAddress(socket.remoteAddress)?.text ?? unknown;
  }
  // A connection that is gone has no address either, and must not pass for loopback.
  return socket.destroyed ? unknown : loopback;
}

/**
 * The nearest address that is not a trusted proxy: from the connection leftwards through the
 * header, because each proxy adds whom it saw at the right, and what stands further left may have
 * been written by anybody. Something that is no address ends the walk at the proxy that wrote it.
 */
export function walkForwardedFor(peer: string, header: string, trusted: IpRanges): string {
  let nearest = peer;
  let end = header.length;
  while (end > 0 && trusted.has(nearest)) {
    const comma = header.lastIndexOf(",", end - 1);
    const address = parseHop(header.slice(comma + 1, end));
    if (address === undefined) return nearest;
    nearest = address;
    end = comma;
  }
  return nearest;
}

/** An address as proxies write it: with or without a port, IPv6 with or without brackets. */
function parseHop(text: string): string | undefined {
  const hop = text.trim();
  const inBrackets = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(hop)?.[1];
  const withPort = /^([\d.]+):\d{1,5}$/.exec(hop)?.[1];
  return parseIpAddress(inBrackets ?? withPort ?? hop)?.text;
}
