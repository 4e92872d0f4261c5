import { createHash } from "node:crypto";
import type { Context } from "hono";
import type { NewAudit } from "../database/schema.ts";
import type { AppEnv } from "../http/app-env.ts";
import { networkOf } from "../http/ip-address.ts";

/** Who acts, by which request, from where. */
export interface AuditContext {
  /** `person:<id>`, `key:<kid>`, `session:<sid>`, `command`, `page` or `server`. */
  readonly actor: string;
  readonly requestId?: string;
  /** The network of the client, as `networkOf` gives it. */
  readonly address?: string;
  /** A hash of the user agent. */
  readonly agent?: string;
}

/** Who acts. A text alone is an actor without a request, such as `server`. */
export type Actor = string | AuditContext;

/** The context of a request, for the lines that tell of what it did. */
export function auditContext(c: Context<AppEnv>, actor: string): AuditContext {
  const clientAddress = c.get("clientAddress");
  const agent = c.req.header("user-agent");
  return {
    actor,
    requestId: c.get("requestId"),
    ...(clientAddress && { address: networkOf(clientAddress(c)) }),
    ...(agent !== undefined && { agent: hashAgent(agent) }),
  };
}

/** What a line says. It must hold no secret. */
export interface AuditFacts {
  readonly atMs: number;
  /** Noun and past participle: `key.revoked`. */
  readonly event: string;
  /** What it was done to. `owner:<id>` and `visitor:<id>` are written as references. */
  readonly target?: string | null;
  readonly projectId?: string | null;
  /** Only where there is no project: lines of a project are its team's. */
  readonly teamId?: string | null;
  /** Before and after, or what else matters; kept as JSON. */
  readonly detail?: unknown;
}

/** A line of the audit, for `appendAudit` in the transaction of what it tells of. */
export function auditLine(by: Actor, facts: AuditFacts): NewAudit {
  const context: AuditContext = typeof by === "string" ? { actor: by } : by;
  const { detail } = facts;
  return {
    at_ms: facts.atMs,
    team_id: facts.teamId ?? null,
    project_id: facts.projectId ?? null,
    actor: context.actor,
    event: facts.event,
    target: facts.target ?? null,
    request_id: context.requestId ?? null,
    address: context.address ?? null,
    agent: context.agent ?? null,
    detail: detail === undefined || detail === null ? null : JSON.stringify(detail),
  };
}

/** A name for a user agent that tells two of them apart: 32 hex characters of its SHA-256. */
function hashAgent(agent: string): string {
  return createHash("sha256").update(agent).digest("hex").slice(0, 32);
}
