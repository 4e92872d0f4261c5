import { createMiddleware } from "hono/factory";
import type { AppEnv } from "./app-env.ts";

/** Keeps answers out of every cache, unless a route has said otherwise. */
export const noStore = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
});
