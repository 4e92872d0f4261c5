import { noteConnectionAddress } from "./connection-address.ts";
import type { SessionHandler } from "./session-handler.ts";

/** The part of Hono's context that is needed. */
export interface HonoLikeContext {
  readonly req: { readonly raw: Request };
  /** On Node.js, the connection among other things. */
  readonly env?: unknown;
}

/** What Hono's Node.js server puts into `env`. */
interface NodeBindings {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
}

/**
 * Serves Hono with a handler of requests.
 *
 * @example
 * app.all("/api/session", toHonoHandler(createSessionHandler({ ... })));
 */
export function toHonoHandler(handle: SessionHandler): (c: HonoLikeContext) => Promise<Response> {
  return (c) => {
    const { incoming } = (c.env ?? {}) as NodeBindings;
    noteConnectionAddress(c.req.raw, incoming?.socket?.remoteAddress);
    return handle(c.req.raw);
  };
}
