import { Hono } from "hono";
import { auditContext } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import type { SessionStanding } from "./session-standing.ts";
import type { Sessions } from "./sessions.ts";

/** What {@link ownSessionRoutes} needs. */
export interface OwnSessionRoutesOptions {
  readonly sessions: Sessions;
  readonly standing: SessionStanding;
}

/** `session/`: what the asking token is, and its end. Stands behind `requireSession`. */
export function ownSessionRoutes({ sessions, standing }: OwnSessionRoutesOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  app.get("/session", async (c) => {
    const session = c.get("session");
    const left = await standing.left(session);
    // Spreading both into a new object takes longer than finding out who is asking.
    return c.json(Object.assign(sessions.describe(session), left));
  });
  app.delete("/session", async (c) => {
    const { projectId, sid } = c.get("session");
    await sessions.revoke(projectId, sid, auditContext(c, `session:${sid}`));
    return c.body(null, 204);
  });
  return app;
}
