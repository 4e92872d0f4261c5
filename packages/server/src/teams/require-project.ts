import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/app-env.ts";
import type { Teams } from "./teams.ts";

/**
 * Lets a signed-in person through to projects of their teams only. It stands before every route
 * below `/projects/:projectId`, those to come included, so that none can forget it.
 *
 * @throws `ProblemError` `not_found`, for a project of another team as for one that is not there.
 */
export function requireProject(teams: Teams) {
  return createMiddleware<AppEnv>(async (c, next) => {
    await teams.projectOf(c.get("person").id, c.req.param("projectId") ?? "");
    await next();
  });
}
