import type { SessionHandler } from "./session-handler.ts";

/** The part of Hono's context that is needed. */
export interface HonoLikeContext {
  readonly req: { readonly raw: Request };
}

/**
 * Serves Hono with a handler of requests.
 *
 * @example
 * app.all("/api/session", toHonoHandler(createSessionHandler({ ... })));
 */
export function toHonoHandler(handle: SessionHandler): (c: HonoLikeContext) => Promise<Response> {
  return (c) => handle(c.req.raw);
}
