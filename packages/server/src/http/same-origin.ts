import { createMiddleware } from "hono/factory";
import type { AppEnv } from "./app-env.ts";
import { ProblemError } from "./problem-answer.ts";

/**
 * Refuses what another site's page sends: the dashboard's cookie is ambient authority, so a
 * request that changes something must come from the dashboard's own pages. Every browser sends
 * `Origin` with such requests; what sends none is no page.
 *
 * @throws {@link ProblemError} `cross_site_request`.
 */
export function sameOriginOnly(origins: readonly string[]) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const origin = c.req.header("origin");
    const site = c.req.header("sec-fetch-site");
    const foreign = origin === undefined ? site === "cross-site" : !origins.includes(origin);
    if (foreign && c.req.method !== "GET" && c.req.method !== "HEAD") {
      throw new ProblemError("cross_site_request", {
        detail: `Open the dashboard at ${origins[0]}, or set VALET_PUBLIC_URL to the address in use.`,
      });
    }
    await next();
  });
}
