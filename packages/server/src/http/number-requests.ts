import { createMiddleware } from "hono/factory";
import type { Logger } from "pino";
import { randomBase62 } from "../base62.ts";
import type { AppEnv } from "./app-env.ts";

/**
 * Gives every request an id, which its answer carries and its log lines name, and the headers
 * that no answer goes without.
 */
export function numberRequests(log: Logger) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const requestId = `req_${randomBase62(22)}`;
    c.set("requestId", requestId);
    c.set("log", log.child({ requestId }));
    const startedMs = performance.now();
    await next();
    c.header("x-request-id", requestId);
    c.header("x-content-type-options", "nosniff");
    c.header("referrer-policy", "no-referrer");
    // The path and not the URL: a query string may hold what must not be logged.
    const { method, path } = c.req;
    const durationMs = Math.round(performance.now() - startedMs);
    c.get("log").info({ method, path, status: c.res.status, durationMs }, "request");
  });
}
