import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Answers a request at once, or returns false and leaves it to the app, as if it had never seen it.
 * What it answers the app would have answered in the same way.
 */
export type QuickAnswer = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

/** The headers of a request that a quick answer takes into account. */
export interface QuickHeaders {
  readonly authorization: string;
  readonly origin: string | undefined;
}

/** The same as the adapter builds a URL with without looking closer; others may be refused. */
const plainHost = /^[a-z0-9._-]+(?::\d{1,5})?$/;

/**
 * The headers of a request for something with a bearer token; undefined when anything about them
 * is unusual: another credential, one that comes twice, a body, a host that has to be looked at.
 * Reads them as they came, because Node.js drops some of those that come twice.
 */
export function readQuickHeaders({
  rawHeaders,
  httpVersion,
}: Pick<IncomingMessage, "rawHeaders" | "httpVersion">): QuickHeaders | undefined {
  let authorization: string | undefined;
  let origin: string | undefined;
  let host: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    // Most headers of a request have none of these lengths, and cost nothing more.
    switch (name.length) {
      case 4:
        if (name.toLowerCase() !== "host") break;
        if (host !== undefined) return undefined;
        host = value;
        break;
      case 6: {
        const lower = name.toLowerCase();
        if (lower === "expect") return undefined;
        if (lower !== "origin") break;
        if (origin !== undefined) return undefined;
        origin = value;
        break;
      }
      case 7:
        if (name.toLowerCase() === "upgrade") return undefined;
        break;
      case 9:
        if (name.toLowerCase() === "x-api-key") return undefined;
        break;
      case 13:
        if (name.toLowerCase() !== "authorization") break;
        if (authorization !== undefined) return undefined;
        authorization = value;
        break;
      case 14:
        if (name.toLowerCase() === "content-length") return undefined;
        break;
      case 17:
        if (name.toLowerCase() === "transfer-encoding") return undefined;
        break;
    }
  }
  if (authorization === undefined || host === undefined || !plainHost.test(host)) return undefined;
  return httpVersion === "1.1" ? { authorization, origin } : undefined;
}
