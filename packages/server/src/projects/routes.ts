import { Hono } from "hono";
import { z } from "zod";
import { auditContext } from "../audit/audit-context.ts";
import type { IntegrationRow, ProjectRow } from "../database/schema.ts";
import type { AppEnv } from "../http/app-env.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { readJson } from "../http/read-json.ts";
import { formatInstant } from "../sessions/sessions.ts";
import type { Teams } from "../teams/teams.ts";
import type { Projects } from "./projects.ts";

export const namedRequest = z.strictObject({
  name: z.string().trim().min(1, "Give it a name.").max(100, "At most 100 characters."),
});

export const newProjectRequest = namedRequest.extend({
  team_id: z.string().max(100).optional().describe("One of your teams; the first one unless said."),
});

/** What {@link projectRoutes} needs. */
export interface ProjectRoutesOptions {
  readonly projects: Projects;
  readonly teams: Teams;
}

/**
 * `/admin/v1/teams` and `/admin/v1/projects` with their Agent integrations. Stands behind
 * `requirePerson` and `requireProject`.
 */
export function projectRoutes({ projects, teams }: ProjectRoutesOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });

  app.get("/teams", async (c) => {
    const mine = await teams.teamsOf(c.get("person").id);
    return c.json({ teams: mine.map(({ id, name }) => ({ id, name })) });
  });

  app.get("/projects", async (c) => {
    const mine = await teams.projectsOf(c.get("person").id);
    return c.json({ projects: mine.map(toProject) });
  });
  app.post("/projects", async (c) => {
    const { name, team_id } = await readJson(c, newProjectRequest);
    const { id: personId } = c.get("person");
    const mine = await teams.teamsOf(personId);
    const team = team_id === undefined ? mine[0] : mine.find(({ id }) => id === team_id);
    if (!team) {
      throw new ProblemError("invalid_request", {
        field: "team_id",
        detail: "team_id: You are in no such team.",
      });
    }
    const actor = auditContext(c, `person:${personId}`);
    const row = await projects.create({ name, teamId: team.id, actor });
    return c.json({ project: toProject(row) }, 201);
  });

  app.get("/projects/:projectId/integrations", async (c) => {
    const { id } = await projects.get(c.req.param("projectId"));
    return c.json({ integrations: (await projects.integrations(id)).map(toIntegration) });
  });
  app.post("/projects/:projectId/integrations", async (c) => {
    const { name } = await readJson(c, namedRequest);
    const actor = auditContext(c, `person:${c.get("person").id}`);
    const row = await projects.createIntegration(c.req.param("projectId"), name, actor);
    return c.json({ integration: toIntegration(row) }, 201);
  });
  app.get("/projects/:projectId/integrations/:integrationId", async (c) => {
    const { projectId, integrationId } = c.req.param();
    return c.json({
      integration: toIntegration(await projects.integration(projectId, integrationId)),
    });
  });
  return app;
}

/** A project as the admin API tells it. */
export function toProject(row: ProjectRow): Record<string, unknown> {
  return {
    id: row.id,
    team_id: row.team_id,
    name: row.name,
    demo: row.demo === 1,
    created_at: formatInstant(row.created_at_ms),
  };
}

/** An integration as the admin API tells it. */
export function toIntegration(row: IntegrationRow): Record<string, unknown> {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    created_at: formatInstant(row.created_at_ms),
  };
}
