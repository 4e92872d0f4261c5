import { Hono } from "hono";
import type { Logger } from "pino";
import { requireCaller } from "./api-keys/direct-caller.ts";
import { createKeyGate } from "./api-keys/key-gate.ts";
import { type ApiKeyRoutesOptions, apiKeyRoutes } from "./api-keys/routes.ts";
import { countRefusals } from "./audit/count-refusals.ts";
import { type AuditRoutesOptions, auditRoutes } from "./audit/routes.ts";
import type { Tallies } from "./audit/tallies.ts";
import { type ErasureRoutesOptions, erasureRoutes } from "./erasure/routes.ts";
import type { AppEnv } from "./http/app-env.ts";
import { readableByPages } from "./http/cors.ts";
import { noStore } from "./http/no-store.ts";
import { numberRequests } from "./http/number-requests.ts";
import { answerProblem, ProblemError } from "./http/problem-answer.ts";
import { problemOf } from "./http/problem-of.ts";
import { sameOriginOnly } from "./http/same-origin.ts";
import { whileServing } from "./http/while-serving.ts";
import type { Limiter } from "./limits/limiter.ts";
import { limitFailures, limitOtherRequests, type RateLimits } from "./limits/rate-limits.ts";
import { openApiRoutes } from "./openapi/routes.ts";
import { requirePerson } from "./people/require-person.ts";
import { type PeopleRoutesOptions, peopleRoutes } from "./people/routes.ts";
import type { ProjectStates } from "./projects/project-states.ts";
import { projectRoutes } from "./projects/routes.ts";
import { projectStateRoutes } from "./projects/state-routes.ts";
import { ownSessionRoutes } from "./sessions/own-session-routes.ts";
import type { SessionPrincipal } from "./sessions/principal.ts";
import { requireSession } from "./sessions/require-session.ts";
import type { Revocations } from "./sessions/revocations.ts";
import { sessionKeyRoutes } from "./sessions/routes.ts";
import type { SessionStanding } from "./sessions/session-standing.ts";
import { tokenRoutes } from "./sessions/token-routes.ts";
import { requireProject } from "./teams/require-project.ts";
import { isHttps, type ServerFacts, serverRoutes } from "./web/server-routes.ts";

/** What {@link createApp} is made of. */
export interface AppParts
  extends ApiKeyRoutesOptions,
    PeopleRoutesOptions,
    AuditRoutesOptions,
    ErasureRoutesOptions {
  readonly tallies: Tallies;
  readonly log: Logger;
  /** Whether the database is this server's now. */
  readonly isServing: () => boolean;
  readonly revocations: Revocations;
  readonly limiter: Limiter;
  readonly limits: RateLimits;
  readonly states: ProjectStates;
  /** Narrows a session's policy to what its project says now. */
  readonly inForce: (session: SessionPrincipal) => SessionPrincipal;
  readonly standing: SessionStanding;
  /** Origins from which the dashboard may be used. */
  readonly dashboardOrigins: readonly string[];
  readonly facts: ServerFacts;
  /** `chat` and `threads`, below a project's agent path and behind `requireCaller`. */
  readonly agent: Hono<AppEnv>;
  /** `/sources`. Checks its credentials itself. */
  readonly sources: Hono<AppEnv>;
  /** The dashboard and the SDK as files. */
  readonly web: Hono<AppEnv>;
}

const agentBase = "/agent/v1/projects/:projectId/agent";

/**
 * The whole HTTP surface as a value: it opens nothing, and a test can call it without a port.
 * Every path is served with and without a slash at its end, and never redirected.
 */
export function createApp(parts: AppParts): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  app.onError((error, c) => {
    const problem = problemOf(error);
    if (problem.cause !== undefined) c.get("log").error({ err: problem.cause }, problem.message);
    return answerProblem(c, problem);
  });
  app.notFound((c) => answerProblem(c, new ProblemError("not_found")));
  const { clientAddress } = parts;
  app.use(numberRequests(parts.log, { isHttps: isHttps(parts.facts), clientAddress }));

  app.use(countRefusals(parts.tallies));

  // Inside of what makes answers readable for pages: they are to see the 503.
  const serving = whileServing(parts.isServing);
  app.get("/healthz", noStore, serving, (c) => c.json({ status: "ok" }));

  for (const path of ["/agent/*", "/sources/*"]) {
    app.use(path, limitFailures(parts.limiter, parts.clientAddress));
  }

  // Routes that take an API key are for servers: they stand first, so that they send no CORS.
  app.use(`${agentBase}/sessions/*`, noStore, serving);
  app.use(`${agentBase}/revocations`, noStore, serving);
  const gate = createKeyGate(parts);
  app.route(agentBase, tokenRoutes({ ...parts, gate }));
  app.route(agentBase, sessionKeyRoutes({ ...parts, gate }));
  const bySession = requireSession(parts.sessions, parts.inForce);
  const byCaller = requireCaller({ ...parts, gate, bySession });
  const limited = limitOtherRequests(parts.limits);
  app.use(`${agentBase}/session`, noStore, readableByPages, serving, bySession, limited);
  for (const path of [`${agentBase}/chat/*`, `${agentBase}/threads/*`]) {
    app.use(path, noStore, readableByPages, serving, byCaller, limited);
  }
  app.route(agentBase, ownSessionRoutes(parts));
  app.route(agentBase, parts.agent);

  app.route("/", openApiRoutes(parts.facts));

  app.use("/sources/*", readableByPages, serving);
  app.route("/", parts.sources);

  app.use("/admin/*", noStore, serving, sameOriginOnly(parts.dashboardOrigins));
  app.route("/", peopleRoutes(parts));
  const admin = new Hono<AppEnv>({ strict: false });
  admin.use(requirePerson(parts.people));
  admin.use("/projects/:projectId/*", requireProject(parts.teams));
  admin.route("/", serverRoutes(parts.facts));
  admin.route("/", projectRoutes(parts));
  admin.route("/", projectStateRoutes(parts));
  admin.route("/", apiKeyRoutes(parts));
  admin.route("/", auditRoutes(parts));
  admin.route("/", erasureRoutes(parts));
  app.route("/admin/v1", admin);

  app.route("/", parts.web);
  return app;
}
