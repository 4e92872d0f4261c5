import { type Context, Hono } from "hono";
import type { Actor } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import { readJson } from "../http/read-json.ts";
import type { Projects } from "../projects/projects.ts";
import type { OpenStreams } from "../sessions/open-streams.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { ApiKeys } from "./api-keys.ts";
import { cutEndedCallers } from "./direct-caller.ts";
import { endKey } from "./end-key.ts";
import type { KeyAct } from "./key-acts.ts";
import {
  keyChangesRequest,
  keyToWire,
  newKeyRequest,
  readLimits,
  rotationRequest,
} from "./key-fields.ts";
import { scopes } from "./scopes.ts";

/** What {@link keyRoutes} needs. */
export interface KeyRoutesOptions {
  readonly keys: ApiKeys;
  readonly sessions: Sessions;
  readonly streams: OpenStreams;
  readonly projects: Projects;
  readonly now?: () => number;
}

/** Who asks: for the audit, and by name for lists. */
export interface KeyKeeper {
  readonly actor: Actor;
  readonly name: string;
}

type KeyContext = Context<AppEnv>;

/**
 * `/projects/:projectId/keys`: what the dashboard and the `valet` command do with keys. Whoever
 * mounts it has let nobody else in.
 *
 * @param keeperOf Who asks.
 */
export function keyRoutes(
  { keys, sessions, streams, projects, now = Date.now }: KeyRoutesOptions,
  keeperOf: (c: KeyContext) => KeyKeeper,
): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  const toWire = (row: Parameters<typeof keyToWire>[0]) =>
    keyToWire(row, { sessions, streams, now });
  const actOf = (c: KeyContext): KeyAct => {
    const { actor, name } = keeperOf(c);
    const { projectId = "", kid = "" } = c.req.param() as Record<string, string>;
    return { projectId, kid, actor, actorName: name };
  };

  app.get("/projects/:projectId/keys", async (c) => {
    const { id } = await projects.get(c.req.param("projectId"));
    return c.json({ keys: await Promise.all(keys.list(id).map(toWire)) });
  });

  app.post("/projects/:projectId/keys", async (c) => {
    const body = await readJson(c, newKeyRequest);
    const limits = readLimits(body, now());
    const { id: projectId } = await projects.get(c.req.param("projectId"));
    const { actor, name: createdBy } = keeperOf(c);
    const may = scopes.filter((scope) => body.scopes?.includes(scope));
    const { row, secret } = await keys.create({
      projectId,
      name: body.name,
      description: body.description || null,
      keepCopy: body.keep_copy ?? false,
      ...(body.scopes && { scopes: may }),
      ...limits,
      actor,
      createdBy,
    });
    return c.json({ id: row.kid, key: await toWire(row), secret }, 201);
  });

  app.get("/projects/:projectId/keys/:kid", async (c) => {
    const { projectId, kid } = c.req.param();
    return c.json({ key: await toWire(keys.get(projectId, kid)) });
  });

  app.patch("/projects/:projectId/keys/:kid", async (c) => {
    const act = actOf(c);
    keys.get(act.projectId, act.kid);
    const body = await readJson(c, keyChangesRequest);
    const row = await keys.update(act, {
      ...(body.name !== undefined && { name: body.name }),
      ...(body.description !== undefined && { description: body.description || null }),
      ...readLimits(body, now()),
    });
    return c.json({ key: await toWire(row) });
  });

  for (const how of ["revoke", "disable"] as const) {
    app.post(`/projects/:projectId/keys/:kid/${how}`, async (c) => {
      const { row, endedSessions, endedStreams } = await endKey(how, actOf(c), {
        keys,
        sessions,
        streams,
      });
      return c.json({
        key: await toWire(row),
        ended_sessions: endedSessions,
        ended_streams: endedStreams,
      });
    });
  }

  app.post("/projects/:projectId/keys/:kid/enable", async (c) =>
    c.json({ key: await toWire(await keys.enable(actOf(c))) }),
  );

  app.post("/projects/:projectId/keys/:kid/rotate", async (c) => {
    const act = actOf(c);
    keys.get(act.projectId, act.kid);
    const body = await readJson(c, rotationRequest, { allowEmpty: true });
    const { made, replaced } = await keys.rotate(act, {
      ...(body.overlap_seconds !== undefined && { overlapMs: body.overlap_seconds * 1000 }),
      ...(body.keep_copy !== undefined && { keepCopy: body.keep_copy }),
      ...readLimits(body, now()),
    });
    cutEndedCallers(keys, streams);
    return c.json(
      { key: await toWire(made.row), secret: made.secret, replaced: await toWire(replaced) },
      201,
    );
  });

  app.post("/projects/:projectId/keys/:kid/end-grace", async (c) => {
    const row = await keys.endGrace(actOf(c));
    const endedStreams = cutEndedCallers(keys, streams);
    return c.json({ key: await toWire(row), ended_streams: endedStreams });
  });
  return app;
}
