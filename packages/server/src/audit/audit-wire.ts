import { z } from "zod";
import type { AuditRow } from "../database/schema.ts";
import { formatInstant } from "../sessions/sessions.ts";

const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((text) => Buffer.from(text, "hex"));
const text = z.string().nullable();
/** A line as exports and lists give it: instants as text, hashes in hex, the detail as JSON. */
const wireLine = z.strictObject({
  n: z.int().positive(),
  at: z.iso.datetime().regex(/\.\d{3}000Z$/),
  team_id: text,
  project_id: text,
  actor: z.string(),
  event: z.string(),
  target: text,
  request_id: text,
  network: text,
  agent: text,
  detail: z.unknown(),
  prev_hash: hash,
  hash,
});

/** A line of the audit, for an export or a list. */
export function toWireLine(row: AuditRow): Record<string, unknown> {
  return {
    n: row.n,
    at: formatInstant(row.at_ms),
    team_id: row.team_id,
    project_id: row.project_id,
    actor: row.actor,
    event: row.event,
    target: row.target,
    request_id: row.request_id,
    network: row.address,
    agent: row.agent,
    detail: row.detail === null ? null : JSON.parse(row.detail),
    prev_hash: row.prev_hash.toString("hex"),
    hash: row.hash.toString("hex"),
  };
}

/** The line that an export tells of; undefined for what is none. */
export function fromWireLine(json: unknown): AuditRow | undefined {
  const { data: line } = wireLine.safeParse(json);
  if (!line) return undefined;
  const { at, network, detail, ...rest } = line;
  return {
    ...rest,
    at_ms: Date.parse(at),
    address: network,
    detail: detail === null || detail === undefined ? null : JSON.stringify(detail),
  };
}
