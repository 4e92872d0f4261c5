import { createMiddleware } from "hono/factory";
import type { Logger } from "pino";
import { answerWith } from "./answer-headers.ts";
import type { AppEnv } from "./app-env.ts";
import type { ClientAddress } from "./client-address.ts";
import { createLazyLogger } from "./lazy-logger.ts";
import { commonHeaders, createRequestLog, newRequestId } from "./request-numbers.ts";

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
  const always = commonHeaders(isHttps);
  const logRequest = createRequestLog(log);
  return createMiddleware<AppEnv>(async (c, next) => {
    const requestId = newRequestId();
    c.set("requestId", requestId);
    c.set(
      "log",
      createLazyLogger(() => log.child({ requestId })),
    );
    c.set("clientAddress", clientAddress);
    const startedMs = performance.now();
    await answerWith(c, { ...always, "x-request-id": requestId }, next);
    logRequest({
      requestId,
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      startedMs,
    });
  });
}
