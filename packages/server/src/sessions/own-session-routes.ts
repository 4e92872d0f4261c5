import { Hono } from "hono";
import { auditContext } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import type { Sessions } from "./sessions.ts";

/** `session/`: what the asking token is, and its end. Stands behind `requireSession`. */
export function ownSessionRoutes(sessions: Sessions): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  app.get("/session", (c) => c.json(sessions.describe(c.get("session"))));
  app.delete("/session", async (c) => {
    const { projectId, sid } = c.get("session");
    await sessions.revoke(projectId, sid, auditContext(c, `session:${sid}`));
    return c.body(null, 204);
  });
  return app;
}
