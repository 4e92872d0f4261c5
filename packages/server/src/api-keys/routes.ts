import { Hono } from "hono";
import { z } from "zod";
import type { Audit } from "../audit/audit.ts";
import { auditContext } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { readJson } from "../http/read-json.ts";
import type { People } from "../people/people.ts";
import { type KeyRoutesOptions, keyRoutes } from "./key-routes.ts";

export const stepUpRequest = z.strictObject({ password: z.string().min(1).max(128) });

/** What {@link apiKeyRoutes} needs. */
export interface ApiKeyRoutesOptions extends KeyRoutesOptions {
  readonly people: People;
  readonly audit: Audit;
}

/** `/admin/v1/projects/:projectId/keys`. Stands behind `requirePerson`. */
export function apiKeyRoutes(options: ApiKeyRoutesOptions): Hono<AppEnv> {
  const { keys, people, audit } = options;
  const app = new Hono<AppEnv>({ strict: false });
  app.route(
    "/",
    keyRoutes(options, (c) => {
      const { id, email } = c.get("person");
      return { actor: auditContext(c, `person:${id}`), name: email };
    }),
  );

  app.post("/projects/:projectId/keys/:kid/reveal", async (c) => {
    const { projectId, kid } = c.req.param();
    keys.get(projectId, kid);
    const { password } = await readJson(c, stepUpRequest);
    if (!(await people.isPassword(c.req.raw.headers, password))) {
      throw new ProblemError("wrong_password");
    }
    const secret = keys.reveal(projectId, kid);
    const actor = auditContext(c, `person:${c.get("person").id}`);
    await audit.record({ actor, event: "key.revealed", target: kid, projectId });
    return c.json({ secret });
  });
  return app;
}
