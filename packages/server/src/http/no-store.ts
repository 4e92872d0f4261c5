import { createMiddleware } from "hono/factory";
import { answerWith } from "./answer-headers.ts";
import type { AppEnv } from "./app-env.ts";

const headers = { "cache-control": "no-store" };

/** Keeps answers out of every cache, unless a route has said otherwise. */
export const noStore = createMiddleware<AppEnv>((c, next) => answerWith(c, headers, next));
