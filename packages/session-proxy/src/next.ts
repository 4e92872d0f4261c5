import type { SessionHandler } from "./session-handler.ts";

/** The methods that a Next route file exports. */
export interface NextSessionRoute {
  readonly POST: SessionHandler;
  readonly OPTIONS: SessionHandler;
}

/**
 * Serves a route of Next's App Router with a handler of requests.
 *
 * @example
 * // app/api/session/route.ts
 * export const { POST, OPTIONS } = toNextRoute(createSessionHandler({ ... }));
 */
export function toNextRoute(handle: SessionHandler): NextSessionRoute {
  return { POST: handle, OPTIONS: handle };
}
