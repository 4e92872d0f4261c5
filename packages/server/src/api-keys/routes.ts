import { Hono } from "hono";
import { z } from "zod";
import type { Audit } from "../audit/audit.ts";
import { auditContext } from "../audit/audit-context.ts";
import type { ApiKeyRow } from "../database/schema.ts";
import type { AppEnv } from "../http/app-env.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { readJson } from "../http/read-json.ts";
import type { People } from "../people/people.ts";
import type { Projects } from "../projects/projects.ts";
import type { OpenStreams } from "../sessions/open-streams.ts";
import { formatInstant, type Sessions } from "../sessions/sessions.ts";
import { maskApiKey } from "./api-key-format.ts";
import { type ApiKeys, scopes } from "./api-keys.ts";
import { revokeKey } from "./revoke-key.ts";

export const newKeyRequest = z.strictObject({
  name: z.string().trim().min(1, "Give the key a name.").max(100, "At most 100 characters."),
  keep_copy: z.boolean().optional(),
  scopes: z.array(z.enum(scopes)).min(1).optional(),
});
export const stepUpRequest = z.strictObject({ password: z.string().min(1).max(128) });

/** What {@link apiKeyRoutes} needs. */
export interface ApiKeyRoutesOptions {
  readonly keys: ApiKeys;
  readonly sessions: Sessions;
  readonly streams: OpenStreams;
  readonly projects: Projects;
  readonly people: People;
  readonly audit: Audit;
}

/** `/admin/v1/projects/:projectId/keys`. Stands behind `requirePerson`. */
export function apiKeyRoutes(options: ApiKeyRoutesOptions): Hono<AppEnv> {
  const { keys, projects, people, audit } = options;
  const app = new Hono<AppEnv>({ strict: false });

  app.get("/projects/:projectId/keys", async (c) => {
    const { id } = await projects.get(c.req.param("projectId"));
    const found = await Promise.all(keys.list(id).map((row) => toWire(row, options)));
    return c.json({ keys: found });
  });

  app.post("/projects/:projectId/keys", async (c) => {
    const { name, keep_copy: keepCopy = false, scopes: may } = await readJson(c, newKeyRequest);
    const { id: projectId } = await projects.get(c.req.param("projectId"));
    const person = c.get("person");
    const { row, secret } = await keys.create({
      projectId,
      name,
      keepCopy,
      actor: auditContext(c, `person:${person.id}`),
      createdBy: person.email,
      ...(may && { scopes: may }),
    });
    return c.json({ key: await toWire(row, options), secret }, 201);
  });

  app.get("/projects/:projectId/keys/:kid", async (c) => {
    const { projectId, kid } = c.req.param();
    return c.json({ key: await toWire(keys.get(projectId, kid), options) });
  });

  app.post("/projects/:projectId/keys/:kid/reveal", async (c) => {
    const { projectId, kid } = c.req.param();
    keys.get(projectId, kid);
    const { password } = await readJson(c, stepUpRequest);
    if (!(await people.isPassword(c.req.raw.headers, password))) {
      throw new ProblemError("wrong_password");
    }
    const secret = keys.reveal(projectId, kid);
    const actor = auditContext(c, `person:${c.get("person").id}`);
    await audit.record({ actor, event: "key.revealed", target: kid, projectId });
    return c.json({ secret });
  });

  app.post("/projects/:projectId/keys/:kid/revoke", async (c) => {
    const { projectId, kid } = c.req.param();
    const actor = auditContext(c, `person:${c.get("person").id}`);
    const { row, endedSessions, endedStreams } = await revokeKey(
      { projectId, kid, actor },
      options,
    );
    return c.json({
      key: await toWire(row, options),
      ended_sessions: endedSessions,
      ended_streams: endedStreams,
    });
  });
  return app;
}

async function toWire(
  row: ApiKeyRow,
  { sessions, streams }: ApiKeyRoutesOptions,
): Promise<Record<string, unknown>> {
  const instant = (atMs: number | null) => (atMs === null ? null : formatInstant(atMs));
  return {
    id: row.kid,
    name: row.name,
    masked: maskApiKey(row.kid),
    scopes: JSON.parse(row.scopes) as unknown,
    created_at: formatInstant(row.created_at_ms),
    created_by: row.created_by,
    last_used_at: instant(row.last_used_at_ms),
    expires_at: instant(row.expires_at_ms),
    revoked_at: instant(row.revoked_at_ms),
    keeps_copy: row.sealed_copy !== null,
    live_sessions: await sessions.countLive(row.kid),
    open_streams: streams.count({ kid: row.kid }),
  };
}
