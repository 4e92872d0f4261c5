import { Hono } from "hono";
import type { Logger } from "pino";
import { z } from "zod";
import { type KeyRoutesOptions, keyRoutes } from "../api-keys/key-routes.ts";
import type { Audit } from "../audit/audit.ts";
import { auditContext } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import { numberRequests } from "../http/number-requests.ts";
import { answerProblem, ProblemError } from "../http/problem-answer.ts";
import { problemOf } from "../http/problem-of.ts";
import { readJson } from "../http/read-json.ts";
import type { Knowledge } from "../knowledge/knowledge.ts";
import type { People } from "../people/people.ts";
import type { SetupLinks } from "../people/setup-links.ts";
import type { ProjectStates } from "../projects/project-states.ts";
import { toIntegration, toProject } from "../projects/routes.ts";
import { projectStateRoutes } from "../projects/state-routes.ts";
import type { Teams } from "../teams/teams.ts";

/** What {@link createControlApp} needs. */
export interface ControlParts extends KeyRoutesOptions {
  readonly log: Logger;
  readonly teams: Teams;
  readonly setupLinks: SetupLinks;
  readonly people: People;
  readonly knowledge: Knowledge;
  /** Where acts are written down. */
  readonly trail: Audit;
  /** `/audit`. */
  readonly audit: Hono<AppEnv>;
  readonly states: ProjectStates;
  /** Routes that parts of the server bring along. */
  readonly more: readonly Hono<AppEnv>[];
  /** The dashboard's address, as people type it. */
  readonly dashboardUrl: () => string;
}

const newProject = z.strictObject({
  name: z.string().min(1).max(100),
  demo: z.boolean().optional(),
  team_id: z.string().max(100).optional(),
});
const newSetupLink = z.strictObject({ team_id: z.string().max(100).optional() });
const newMember = z.strictObject({ email: z.string().min(1).max(254) });
const named = z.strictObject({ name: z.string().min(1).max(100) });
const ingestion = z.strictObject({ path: z.string().min(1), base_url: z.url().optional() });

/**
 * What the `valet` command can ask of a server. It is served on a socket inside the data folder,
 * which only its owner can open; that is its whole authority, and it is never on the network.
 */
export function createControlApp(parts: ControlParts): Hono<AppEnv> {
  const { projects, teams, setupLinks, knowledge, trail } = parts;
  const app = new Hono<AppEnv>();
  app.use(numberRequests(parts.log));
  app.onError((error, c) => {
    const problem = problemOf(error);
    if (problem.cause !== undefined) c.get("log").error({ err: problem.cause }, problem.message);
    return answerProblem(c, problem);
  });

  for (const routes of parts.more) app.route("/", routes);
  app.get("/status", async (c) =>
    c.json({
      url: parts.dashboardUrl(),
      pid: process.pid,
      accounts: await parts.people.hasAccounts(),
    }),
  );

  app.post("/setup-links", async (c) => {
    const { team_id } = await readJson(c, newSetupLink, { allowEmpty: true });
    const teamId = team_id === undefined ? undefined : (await teams.get(team_id)).id;
    const actor = auditContext(c, "command");
    const code = await setupLinks.create({ actor, ...(teamId !== undefined && { teamId }) });
    return c.json({ url: `${parts.dashboardUrl()}/setup#${code}` }, 201);
  });

  app.get("/teams", async (c) => c.json({ teams: await teams.list() }));
  app.post("/teams", async (c) => {
    const { name } = await readJson(c, named);
    return c.json({ team: await teams.create(name, auditContext(c, "command")) }, 201);
  });
  app.post("/teams/:teamId/members", async (c) => {
    const { email } = await readJson(c, newMember);
    await teams.addMember(c.req.param("teamId"), email, auditContext(c, "command"));
    return c.json({ added: true }, 201);
  });

  app.get("/projects", async (c) => c.json({ projects: (await projects.list()).map(toProject) }));
  app.post("/projects", async (c) => {
    const { name, demo = false, team_id } = await readJson(c, newProject);
    const actor = auditContext(c, "command");
    const team = team_id === undefined ? await teams.onlyTeam(actor) : await teams.get(team_id);
    const row = await projects.create({ name, demo, teamId: team.id, actor });
    return c.json({ project: toProject(row) }, 201);
  });
  app.get("/projects/:projectId/integrations", async (c) => {
    const rows = await projects.integrations(c.req.param("projectId"));
    return c.json({ integrations: rows.map(toIntegration) });
  });
  app.post("/projects/:projectId/integrations", async (c) => {
    const { name } = await readJson(c, named);
    const actor = auditContext(c, "command");
    const row = await projects.createIntegration(c.req.param("projectId"), name, actor);
    return c.json({ integration: toIntegration(row) }, 201);
  });

  app.route("/", projectStateRoutes({ ...parts, actorOf: (c) => auditContext(c, "command") }));

  app.route(
    "/",
    keyRoutes(parts, (c) => ({ actor: auditContext(c, "command"), name: "command" })),
  );

  app.get("/projects/:projectId/sources", async (c) => {
    const { id } = await projects.get(c.req.param("projectId"));
    return c.json({ sources: await knowledge.listSources(id) });
  });
  app.delete("/projects/:projectId/sources/:sourceId", async (c) => {
    const { projectId, sourceId } = c.req.param();
    await knowledge.removeSource(projectId, sourceId);
    const actor = auditContext(c, "command");
    await trail.record({ actor, event: "source.removed", target: sourceId, projectId });
    return c.body(null, 204);
  });

  app.route("/", parts.audit);

  // One line of JSON for each step of the work, the last one the result or the problem.
  app.post("/projects/:projectId/ingest", async (c) => {
    const { path, base_url: baseUrl } = await readJson(c, ingestion);
    const { id: projectId } = await projects.get(c.req.param("projectId"));
    const actor = auditContext(c, "command");
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        const write = (line: unknown) =>
          controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
        try {
          const result = await knowledge.ingest(
            { projectId, path, ...(baseUrl !== undefined && { baseUrl }) },
            (progress) => write({ progress }),
          );
          const { sourceId, failures, ...counts } = result;
          if (sourceId !== null) {
            await trail.record({
              actor,
              event: "source.ingested",
              target: sourceId,
              projectId,
              detail: { ...counts, failures: failures.length },
            });
          }
          write({ result });
        } catch (error) {
          c.get("log").error({ err: error }, "ingestion failed");
          const told = error instanceof ProblemError;
          write({ error: told ? error.message : "The ingestion failed; see the server's log." });
        }
        controller.close();
      },
    });
    return c.body(body, 200, { "content-type": "application/x-ndjson" });
  });
  return app;
}
