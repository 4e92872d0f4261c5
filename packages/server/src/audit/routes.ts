import { Hono } from "hono";
import { z } from "zod";
import type { AppEnv } from "../http/app-env.ts";
import { parseBody } from "../http/read-json.ts";
import type { Teams } from "../teams/teams.ts";
import type { Audit, AuditStore } from "./audit.ts";
import { auditContext } from "./audit-context.ts";
import { exportAudit } from "./audit-export.ts";
import { toWireLine } from "./audit-wire.ts";

const text = z.string().min(1).max(300);
const instant = z.iso.datetime({ offset: true });

/** The query of a list. */
export const auditQuery = z.strictObject({
  project: text.optional().describe("One project; all of your teams unless said."),
  event: text.optional().describe("An event, or all of a noun: `key.*`."),
  actor: text.optional(),
  target: text.optional(),
  owner: text.optional().describe("An owner's id, with `project`: found by its reference."),
  from: instant.optional(),
  to: instant.optional().describe("Before this instant."),
  cursor: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(100).optional().describe("50 unless said."),
});
const exportQuery = auditQuery.pick({ project: true });

/** What {@link auditRoutes} needs. */
export interface AuditRoutesOptions {
  readonly audit: Audit;
  readonly auditStore: AuditStore;
  readonly teams: Teams;
}

/** `/admin/v1/audit`: the lines of one's teams. Stands behind `requirePerson`. */
export function auditRoutes({ audit, auditStore, teams }: AuditRoutesOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });

  app.get("/audit", async (c) => {
    const {
      project,
      event,
      actor,
      target,
      owner,
      from,
      to,
      cursor,
      limit = 50,
    } = parseBody(auditQuery, c.req.query());
    const scope = await teams.auditScope(c.get("person").id, project);
    const reference =
      owner === undefined
        ? target
        : auditStore.reference({ projectId: project ?? "", kind: "owner", id: owner });
    const rows = await auditStore.list({
      scope,
      limit: limit + 1,
      ...(event !== undefined && { event }),
      ...(actor !== undefined && { actor }),
      ...(reference !== undefined && { target: reference }),
      ...(from !== undefined && { fromMs: Date.parse(from) }),
      ...(to !== undefined && { toMs: Date.parse(to) }),
      ...(cursor !== undefined && { beforeN: cursor }),
    });
    const page = rows.slice(0, limit);
    return c.json({
      lines: page.map(toWireLine),
      next_cursor: rows.length > limit ? String(page.at(-1)?.n ?? "") : null,
    });
  });

  app.get("/audit/export", async (c) => {
    const { project } = parseBody(exportQuery, c.req.query());
    const person = c.get("person");
    const scope = await teams.auditScope(person.id, project);
    const teamIds = project === undefined ? scope.teamIds : [undefined];
    await audit.recordAll(
      teamIds.map((teamId) => ({
        actor: auditContext(c, `person:${person.id}`),
        event: "audit.exported",
        ...(teamId !== undefined && { teamId }),
        ...(project !== undefined && { projectId: project }),
      })),
    );
    return c.body(exportAudit(auditStore, scope), 200, {
      "content-type": "application/x-ndjson",
      "content-disposition": 'attachment; filename="valet-audit.ndjson"',
    });
  });
  return app;
}
