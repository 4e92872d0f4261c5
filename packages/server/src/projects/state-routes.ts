import { type Context, Hono } from "hono";
import { z } from "zod";
import { type Actor, auditContext } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import { parseBody, readJson } from "../http/read-json.ts";
import {
  defaultSettings,
  type ProjectSettingsInput,
  projectSettings,
  toSettingsWire,
} from "./project-settings.ts";
import type { ChangeOptions, ProjectStates } from "./project-states.ts";
import type { Projects } from "./projects.ts";

/** What {@link projectStateRoutes} needs. */
export interface ProjectStateRoutesOptions {
  readonly projects: Projects;
  readonly states: ProjectStates;
  /** Who asks, for the audit. @default the person who is signed in */
  readonly actorOf?: (c: Context<AppEnv>) => Actor;
}

const maxBytes = 65_536;
const anything = z.unknown();
const nothing = z.strictObject({});

/**
 * Below `/projects/:projectId`: the settings of a project, and its switch and those of its
 * integrations. Stands behind whoever may change a project.
 */
export function projectStateRoutes({
  projects,
  states,
  actorOf = (c) => auditContext(c, `person:${c.get("person").id}`),
}: ProjectStateRoutesOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  const changeOf = (c: Context<AppEnv>): ChangeOptions => ({
    projectId: c.req.param("projectId") ?? "",
    actor: actorOf(c),
  });

  app.get("/projects/:projectId/settings", async (c) => {
    const { id } = await projects.get(c.req.param("projectId"));
    return c.json(toAnswer(states, id));
  });

  app.put("/projects/:projectId/settings", async (c) => {
    const written = await readJson(c, anything, { maxBytes });
    // Checked with its defaults, kept without them: what was left out follows later defaults.
    parseBody(projectSettings, written);
    await states.change({ ...changeOf(c), settings: written as ProjectSettingsInput });
    return c.json(toAnswer(states, changeOf(c).projectId));
  });

  for (const isOn of [true, false]) {
    const verb = isOn ? "enable" : "disable";
    app.post(`/projects/:projectId/${verb}`, async (c) => {
      await readJson(c, nothing, { allowEmpty: true });
      await states.switch({ ...changeOf(c), isOn });
      return c.json({ disabled: !isOn });
    });
    app.post(`/projects/:projectId/integrations/:integrationId/${verb}`, async (c) => {
      await readJson(c, nothing, { allowEmpty: true });
      const integrationId = c.req.param("integrationId");
      await states.switch({ ...changeOf(c), integrationId, isOn });
      return c.json({ disabled: !isOn });
    });
  }
  return app;
}

function toAnswer(states: ProjectStates, projectId: string): Record<string, unknown> {
  return {
    settings: toSettingsWire(states.settings(projectId)),
    defaults: toSettingsWire(defaultSettings),
    disabled: states.isProjectOff(projectId),
  };
}
