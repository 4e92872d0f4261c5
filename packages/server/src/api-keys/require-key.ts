import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/app-env.ts";
import type { AdmitOptions, KeyGate } from "./key-gate.ts";
import type { Scope } from "./scopes.ts";

/**
 * Lets only a key of the path's project with a scope through, sent by a server.
 *
 * @throws `ProblemError` as {@link KeyGate.admit}.
 */
export function requireKey(gate: KeyGate, scope: Scope, options?: AdmitOptions) {
  return createMiddleware<AppEnv>(async (c, next) => {
    c.set("key", await gate.admit(c, scope, options));
    await next();
  });
}
