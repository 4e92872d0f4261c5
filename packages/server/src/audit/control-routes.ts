import { Hono } from "hono";
import type { Logger } from "pino";
import { z } from "zod";
import type { AppEnv } from "../http/app-env.ts";
import { readJson } from "../http/read-json.ts";
import type { Audit, AuditScope, AuditStore } from "./audit.ts";
import { auditContext } from "./audit-context.ts";
import { exportAudit } from "./audit-export.ts";
import { resealAudit } from "./reseal-audit.ts";
import type { Tallies } from "./tallies.ts";
import { describeFault, verifyAudit } from "./verify-audit.ts";

/** A line of the log: `n:hash`. */
export const anchorText: RegExp = /^([1-9]\d{0,14}):([0-9a-fA-F]{64})$/;

const verification = z.strictObject({
  anchors: z
    .array(z.strictObject({ n: z.int().positive(), hash: z.string().regex(/^[0-9a-fA-F]{64}$/) }))
    .max(100)
    .optional(),
});

const resealing = z.strictObject({ reason: z.string().trim().min(1).max(500) });

/** What the `valet` command asks of the audit. */
export function auditControlRoutes({
  audit,
  store,
  tallies,
  scopeOf,
  log,
  now = Date.now,
}: {
  readonly audit: Audit;
  readonly store: AuditStore;
  readonly tallies: Pick<Tallies, "flush">;
  /** The lines of a project. @throws `ProblemError` `not_found`. */
  readonly scopeOf: (projectId: string) => Promise<AuditScope>;
  readonly log: Pick<Logger, "warn">;
  readonly now?: () => number;
}): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.post("/audit/verify", async (c) => {
    const { anchors = [] } = await readJson(c, verification, { allowEmpty: true });
    const verdict = await verifyAudit(store, { anchors });
    return c.json(verdict.ok ? verdict : { ...verdict, message: describeFault(verdict) });
  });

  app.post("/audit/reseal", async (c) => {
    const { reason } = await readJson(c, resealing);
    return c.json(
      await resealAudit({ store, reason, actor: auditContext(c, "command"), log, now }),
    );
  });

  app.post("/audit/export", async (c) => {
    const projectId = c.req.query("project");
    const scope = projectId === undefined ? undefined : await scopeOf(projectId);
    // What was counted until now is part of what happened.
    await tallies.flush();
    await audit.record({
      actor: auditContext(c, "command"),
      event: "audit.exported",
      ...(projectId !== undefined && { projectId }),
    });
    return c.body(exportAudit(store, scope), 200, { "content-type": "application/x-ndjson" });
  });

  app.get("/audit/reference", (c) => {
    const { project = "", owner, visitor } = c.req.query();
    const kind = owner === undefined ? "visitor" : "owner";
    return c.json({
      target: store.reference({ projectId: project, kind, id: owner ?? visitor ?? "" }),
    });
  });
  return app;
}
