import { createMiddleware } from "hono/factory";
import { answerWith } from "./answer-headers.ts";
import type { AppEnv } from "./app-env.ts";

/** What keeps an answer out of every cache. */
export const noStoreHeaders = { "cache-control": "no-store" };

/** Keeps answers out of every cache, unless a route has said otherwise. */
export const noStore = createMiddleware<AppEnv>((c, next) => answerWith(c, noStoreHeaders, next));
