import { Hono } from "hono";
import { z } from "zod";
import type { IntegrationRow, ProjectRow } from "../database/schema.ts";
import type { AppEnv } from "../http/app-env.ts";
import { readJson } from "../http/read-json.ts";
import { formatInstant } from "../sessions/sessions.ts";
import type { Projects } from "./projects.ts";

export const namedRequest = z.strictObject({
  name: z.string().trim().min(1, "Give it a name.").max(100, "At most 100 characters."),
});

/** `/admin/v1/projects`: projects and their Agent integrations. Stands behind `requirePerson`. */
export function projectRoutes(projects: Projects): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });

  app.get("/projects", async (c) => c.json({ projects: (await projects.list()).map(toProject) }));
  app.post("/projects", async (c) => {
    const { name } = await readJson(c, namedRequest);
    return c.json({ project: toProject(await projects.create({ name })) }, 201);
  });

  app.get("/projects/:projectId/integrations", async (c) => {
    const { id } = await projects.get(c.req.param("projectId"));
    return c.json({ integrations: (await projects.integrations(id)).map(toIntegration) });
  });
  app.post("/projects/:projectId/integrations", async (c) => {
    const { name } = await readJson(c, namedRequest);
    const row = await projects.createIntegration(c.req.param("projectId"), name);
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
