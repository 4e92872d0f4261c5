import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";

/** The dashboard loads nothing from elsewhere and runs no inline script. Its kit sets inline styles. */
const dashboardPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join("; ");

/**
 * The dashboard at `/`, and the SDK at `/sdk/`.
 *
 * @param publicFolder Holds `dashboard/` and `sdk/`, as the build leaves them.
 */
export function webRoutes(publicFolder: string): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  const dashboard = join(publicFolder, "dashboard");
  const page = join(dashboard, "index.html");

  app.use("/sdk/*", async (c, next) => {
    await next();
    // A page of any origin may import the bundle; there is nothing private in it.
    c.header("access-control-allow-origin", "*");
    c.header("cache-control", "no-cache");
  });
  if (existsSync(publicFolder)) {
    app.use("/sdk/*", serveStatic({ root: publicFolder }));
    app.use(
      "/assets/*",
      serveStatic({
        root: dashboard,
        // Their names carry a hash of their content.
        onFound: (_path, c) => c.header("cache-control", "public, max-age=31536000, immutable"),
      }),
    );
    app.get("/favicon.svg", serveStatic({ root: dashboard }));
  }

  // Every other address is a page of the dashboard, which knows its own addresses.
  app.get("*", (c, next) => {
    const isPage = !/^\/(?:admin|agent|sdk|sources|assets)(?:\/|$)/.test(c.req.path);
    if (!isPage || !existsSync(page)) return next();
    c.header("content-security-policy", dashboardPolicy);
    c.header("x-frame-options", "DENY");
    c.header("cache-control", "no-cache");
    return c.html(readFileSync(page, "utf8"));
  });
  return app;
}
