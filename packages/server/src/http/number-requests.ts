import { createMiddleware } from "hono/factory";
import type { Logger } from "pino";
import { randomBase62 } from "../base62.ts";
import { answerWith } from "./answer-headers.ts";
import type { AppEnv } from "./app-env.ts";
import type { ClientAddress } from "./client-address.ts";
import { hideCredentials } from "./credentials.ts";
import { createLazyLogger } from "./lazy-logger.ts";

/** What {@link numberRequests} can be told. */
export interface NumberRequestsOptions {
  /** Whether browsers reach the server over HTTPS, and shall from now on. @default false */
  readonly isHttps?: boolean;
  /** For whoever writes down where a request came from. */
  readonly clientAddress?: ClientAddress;
}

/**
 * Gives every request an id, which its answer carries and its log lines name, and the headers
 * that no answer goes without.
 */
export function numberRequests(
  log: Logger,
  { isHttps = false, clientAddress }: NumberRequestsOptions = {},
) {
  // Nothing that is logged of a request can hold a credential: there is nothing to take out.
  const requestLog = log.child({}, { redact: [] });
  const always = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    // A year, as RFC 6797 section 11.2 has it; for this host alone, whose neighbours are not ours.
    ...(isHttps && { "strict-transport-security": "max-age=31536000" }),
  };
  return createMiddleware<AppEnv>(async (c, next) => {
    const requestId = `req_${randomBase62(22)}`;
    c.set("requestId", requestId);
    c.set(
      "log",
      createLazyLogger(() => log.child({ requestId })),
    );
    c.set("clientAddress", clientAddress);
    const startedMs = performance.now();
    await answerWith(c, always, () => answerWith(c, { "x-request-id": requestId }, next));
    // The path and not the URL: a query string may hold what must not be logged. So may a path,
    // when somebody asks for a session by its token in the place of its id.
    const { method } = c.req;
    const path = hideCredentials(c.req.path);
    const durationMs = Math.round(performance.now() - startedMs);
    requestLog.info({ requestId, method, path, status: c.res.status, durationMs }, "request");
  });
}
