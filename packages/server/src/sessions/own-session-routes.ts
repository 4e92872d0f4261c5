import type { SessionStatus } from "@valet/protocol";
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
    const expires_in = sessions.secondsLeft(session);
    // What changes by itself comes last: `createQuickOwnSession` writes the same text.
    return c.json({ ...sessions.describe(session), ...left, expires_in } satisfies SessionStatus);
  });
  app.delete("/session", async (c) => {
    const { projectId, sid } = c.get("session");
    await sessions.revoke(projectId, sid, auditContext(c, `session:${sid}`));
    return c.body(null, 204);
  });
  return app;
}
