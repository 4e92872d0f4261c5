import { type Context, Hono } from "hono";
import { z } from "zod";
import type { KeyGate } from "../api-keys/key-gate.ts";
import { requireKey } from "../api-keys/require-key.ts";
import { auditContext } from "../audit/audit-context.ts";
import type { Tallies } from "../audit/tallies.ts";
import type { SessionRow } from "../database/schema.ts";
import type { AppEnv } from "../http/app-env.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { readJson } from "../http/read-json.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import { longestSessionSeconds } from "../projects/project-settings.ts";
import type { Projects } from "../projects/projects.ts";
import type { RevocationKind, Revocations } from "./revocations.ts";
import type { SessionStanding } from "./session-standing.ts";
import { formatInstant, type Sessions, toPrincipal } from "./sessions.ts";

const names = z.array(z.string().min(1).max(200)).max(100);
const origin = z
  .string()
  .refine((text) => URL.canParse(text) && new URL(text).origin === text, "is not an origin");

/** The body of a mint, as DESIGN 3 has it. Everything may be left out; nothing may be added. */
export const mintRequest = z.strictObject({
  external_owner_id: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe("Your own stable id of the person. Conversations belong to it."),
  integration_id: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe("Binds the session to one Agent integration."),
  ttl_seconds: z
    .int()
    .min(60)
    .max(longestSessionSeconds)
    .optional()
    .describe("At most the project's maximum."),
  origins: z
    .array(origin)
    .min(1)
    .max(100)
    .optional()
    .describe("Pages that it may be used from. Narrows the project's own list."),
  visitor_id: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe("An anonymous person. Needs the scope `sessions:visitors`."),
  visitor_ip: z
    .union([z.ipv4(), z.ipv6()])
    .optional()
    .describe(
      "The address of that person as your server sees it. Needs the scope `sessions:visitors`.",
    ),
  limits: z
    .strictObject({
      turns: z.int().min(1).optional(),
      model_tokens: z.int().min(1).optional(),
      streams: z.int().min(1).optional(),
    })
    .optional(),
  allow: z
    .strictObject({
      models: names.optional(),
      tools: names.optional(),
      source_groups: names.optional(),
    })
    .optional(),
  metadata: z
    .record(z.string(), z.unknown())
    .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= 1024, "is larger than 1 KB")
    .optional(),
});

const target = z.union([
  z.strictObject({ owner: z.string().min(1).max(256) }),
  z.strictObject({ visitor: z.string().min(1).max(256) }),
  z.strictObject({ key: z.string().min(1).max(64) }),
  z.strictObject({ session: z.string().min(1).max(64) }),
  z.strictObject({ project: z.literal(true) }),
]);

/** The body of a revocation, as DESIGN 3 has it. */
export const revocationRequest = z.strictObject({
  targets: z.array(target).min(1).max(100),
  issued_before: z.iso.datetime({ offset: true }).optional(),
  block: z.boolean().optional(),
  reason: z.string().max(500).optional(),
});

const pageSize = 50;

/** What {@link sessionKeyRoutes} needs. */
export interface SessionKeyRoutesOptions {
  readonly sessions: Sessions;
  readonly revocations: Revocations;
  readonly gate: KeyGate;
  readonly projects: Projects;
  readonly tallies: Pick<Tallies, "minted">;
  readonly limits: RateLimits;
  readonly standing: SessionStanding;
}

/** The session routes that take an API key: mint, list, look at, revoke. */
export function sessionKeyRoutes({
  sessions,
  revocations,
  gate,
  projects,
  tallies,
  limits,
  standing,
}: SessionKeyRoutesOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });

  app.post("/sessions", requireKey(gate, "sessions:create"), async (c) => {
    const key = c.get("key");
    const request = await readJson(c, mintRequest, { allowEmpty: true });
    if (request.visitor_id !== undefined || request.visitor_ip !== undefined) {
      if (!key.scopes.includes("sessions:visitors")) {
        throw new ProblemError("insufficient_scope", {
          field: request.visitor_id === undefined ? "visitor_ip" : "visitor_id",
          detail: "The key needs the scope sessions:visitors to speak for visitors.",
        });
      }
    }
    const integrationId = request.integration_id;
    if (integrationId && !(await projects.hasIntegration(key.projectId, integrationId))) {
      throw new ProblemError("invalid_request", {
        field: "integration_id",
        detail: "integration_id: the project has no such integration.",
      });
    }
    if ((request.allow?.source_groups?.length ?? 0) > 0) {
      throw new ProblemError("invalid_request", {
        field: "allow.source_groups[0]",
        detail: "allow.source_groups[0]: the project has no source group of this id.",
      });
    }
    const asked = exactly(request);
    await limits.mint(c, asked);
    const reply = await sessions.create(key, asked);
    tallies.minted(key.projectId, key.kid);
    return c.json(reply, 201);
  });

  app.get("/sessions", requireKey(gate, "sessions:read"), async (c) => {
    await limits.keyRequest(c);
    const { owner, key: kid, cursor } = c.req.query();
    const before = cursor === undefined ? undefined : parseCursor(cursor);
    const rows = await sessions.list({
      projectId: c.get("key").projectId,
      limit: pageSize + 1,
      ...(owner !== undefined && { owner }),
      ...(kid !== undefined && { kid }),
      ...(before && { before }),
    });
    const page = rows.slice(0, pageSize);
    const last = rows.length > pageSize ? page.at(-1) : undefined;
    return c.json({
      sessions: page.map((row) => toWire(row, sessions)),
      next_cursor: last ? `${last.issued_at_ms}.${last.sid}` : null,
    });
  });

  app.get("/sessions/:sid", requireKey(gate, "sessions:read"), async (c) => {
    await limits.keyRequest(c);
    const row = await sessions.get(c.get("key").projectId, sidOf(c));
    const session = toPrincipal(row);
    const [left, rates] = await Promise.all([standing.left(session), standing.rates(session)]);
    return c.json({ ...toWire(row, sessions), ...left, rates });
  });

  app.delete("/sessions/:sid", requireKey(gate, "sessions:revoke"), async (c) => {
    await limits.keyRequest(c);
    const { projectId, kid } = c.get("key");
    const actor = auditContext(c, `key:${kid}`);
    return c.json(toWire(await sessions.revoke(projectId, sidOf(c), actor), sessions));
  });

  app.post("/revocations", requireKey(gate, "sessions:revoke"), async (c) => {
    await limits.keyRequest(c);
    const { projectId, kid } = c.get("key");
    const { targets, issued_before, block, reason } = await readJson(c, revocationRequest);
    const actor = auditContext(c, `key:${kid}`);
    for (const [at, each] of targets.entries()) {
      if (!("session" in each)) continue;
      if (block !== undefined || issued_before !== undefined) {
        throw new ProblemError("invalid_request", {
          field: `targets[${at}].session`,
          detail: "A single session is ended as it is: without `block` and `issued_before`.",
        });
      }
      // Nothing is half done: whether each one exists is known before the first is ended.
      await sessions.get(projectId, each.session);
    }
    const single = targets.flatMap((each) => ("session" in each ? [each.session] : []));
    const whole = targets.flatMap((each) => toTarget(each, projectId));
    const cut =
      whole.length === 0
        ? []
        : await revocations.revoke({
            projectId,
            targets: whole,
            actor,
            ...(issued_before !== undefined && { issuedBeforeMs: Date.parse(issued_before) }),
            ...(block !== undefined && { block }),
            ...(reason !== undefined && { reason }),
          });
    for (const sid of single) await sessions.revoke(projectId, sid, actor);
    const endedStreams = cut.reduce((sum, count) => sum + count, 0);
    return c.json({ revoked: targets.length, ended_streams: endedStreams });
  });

  return app;
}

function toTarget(
  each: z.output<typeof target>,
  projectId: string,
): { kind: RevocationKind; target: string }[] {
  if ("owner" in each) return [{ kind: "owner", target: each.owner }];
  if ("visitor" in each) return [{ kind: "visitor", target: each.visitor }];
  if ("key" in each) return [{ kind: "key", target: each.key }];
  return "project" in each ? [{ kind: "project", target: projectId }] : [];
}

function sidOf(c: Context<AppEnv>): string {
  return c.req.param("sid") ?? "";
}

function parseCursor(cursor: string): { issuedAtMs: number; sid: string } {
  const match = /^(\d{1,15})\.(ses_[0-9A-Za-z]{22})$/.exec(cursor);
  if (!match?.[1] || !match[2]) throw new ProblemError("invalid_request", { field: "cursor" });
  return { issuedAtMs: Number(match[1]), sid: match[2] };
}

function toWire(
  row: SessionRow,
  { statusOf }: Pick<Sessions, "statusOf">,
): Record<string, unknown> {
  return {
    session_id: row.sid,
    status: statusOf(row),
    key_id: row.kid,
    integration_id: row.integration_id,
    external_owner_id: row.owner,
    visitor_id: row.visitor_id,
    created_at: formatInstant(row.issued_at_ms),
    expires_at: formatInstant(row.expires_at_s * 1000),
    revoked_at: row.revoked_at_ms === null ? null : formatInstant(row.revoked_at_ms),
    metadata: row.metadata === null ? null : JSON.parse(row.metadata),
  };
}

/**
 * The same object, as exact optional types ask: JSON has no undefined, and the schema adds none to
 * what it was given.
 */
function exactly<T>(value: T): Exact<T> {
  return value as Exact<T>;
}

type Exact<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [Key in keyof T]: Exact<Exclude<T[Key], undefined>> }
    : T;
