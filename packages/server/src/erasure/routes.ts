import { type Context, Hono } from "hono";
import { z } from "zod";
import { type Actor, auditContext } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import { readJson } from "../http/read-json.ts";
import type { OwnerErasure } from "./erase-owner.ts";

/** The body of an erasure. */
export const eraseOwnerRequest = z.strictObject({
  owner: z.string().min(1).max(256),
  forget_block: z.boolean().optional(),
});

/** What was erased, as it is answered. */
export const erasedAnswer = z.object({
  threads: z.int(),
  messages: z.int(),
  calls: z.int(),
  sources: z.int(),
  feedback: z.int(),
  runs: z.int(),
  sessions: z.int(),
  ended_streams: z.int(),
  log_cleared: z.boolean(),
});

/** What {@link erasureRoutes} needs. */
export interface ErasureRoutesOptions {
  readonly erasure: OwnerErasure;
  /** Who asks, for the audit. @default the person who is signed in */
  readonly actorOf?: (c: Context<AppEnv>) => Actor;
}

/** `POST /projects/:projectId/owners/erase`. Stands behind whoever may change a project. */
export function erasureRoutes({
  erasure,
  actorOf = (c) => auditContext(c, `person:${c.get("person").id}`),
}: ErasureRoutesOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  app.post("/projects/:projectId/owners/erase", async (c) => {
    const { owner, forget_block: forgetBlock = false } = await readJson(c, eraseOwnerRequest);
    const { streams, logCleared, ...counts } = await erasure.erase({
      projectId: c.req.param("projectId"),
      owner,
      forgetBlock,
      actor: actorOf(c),
    });
    return c.json({
      ...counts,
      ended_streams: streams,
      log_cleared: logCleared,
    } satisfies z.output<typeof erasedAnswer>);
  });
  return app;
}
