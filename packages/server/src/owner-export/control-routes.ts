import { Hono } from "hono";
import { z } from "zod";
import type { Audit } from "../audit/audit.ts";
import { auditContext } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import { streamLines } from "../http/line-stream.ts";
import { readJson } from "../http/read-json.ts";
import type { Projects } from "../projects/projects.ts";
import { exportOwner, type OwnerDataStore } from "./export-owner.ts";

const exportRequest = z.strictObject({ owner: z.string().min(1).max(256) });

/** What {@link ownerExportRoutes} needs. */
export interface OwnerExportRoutesOptions {
  readonly projects: Pick<Projects, "get">;
  readonly store: OwnerDataStore;
  readonly audit: Pick<Audit, "record">;
  readonly now?: () => number;
}

/** `POST /projects/:projectId/owners/export` of the command: lines of JSON. */
export function ownerExportRoutes({
  projects,
  store,
  audit,
  now = Date.now,
}: OwnerExportRoutesOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.post("/projects/:projectId/owners/export", async (c) => {
    const { owner } = await readJson(c, exportRequest);
    const { id: projectId } = await projects.get(c.req.param("projectId"));
    // Written before the first line goes out: whoever has a part of it was seen.
    await audit.record({
      actor: auditContext(c, "command"),
      event: "owner.exported",
      target: `owner:${owner}`,
      projectId,
    });
    const lines = streamLines(exportOwner({ store, projectId, owner, now }));
    return c.body(lines, 200, { "content-type": "application/x-ndjson" });
  });
  return app;
}
