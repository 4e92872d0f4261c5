import { z } from "zod";
import type { ApiKeyRow } from "../database/schema.ts";
import { IpRangeError, parseIpRanges } from "../http/ip-ranges.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { OpenStreams } from "../sessions/open-streams.ts";
import { formatInstant, type Sessions } from "../sessions/sessions.ts";
import { maskApiKey } from "./api-key-format.ts";
import { stateOf } from "./key-state.ts";
import { scopes } from "./scopes.ts";

const name = z.string().trim().min(1, "Give the key a name.").max(100, "At most 100 characters.");
const description = z.string().trim().max(500, "At most 500 characters.").nullable();
const expiresAt = z.iso
  .datetime({ offset: true, error: "Write an instant such as 2030-01-31T12:00:00Z, or null." })
  .nullable();
const ipAllow = z
  .array(z.string().max(64, "At most 64 characters."))
  .min(1, "Name an address, or leave the list out to allow any.")
  .max(100, "At most 100 entries.")
  .nullable();

/** The body of a new key. */
export const newKeyRequest = z.strictObject({
  name,
  description: description.optional(),
  keep_copy: z.boolean().optional(),
  scopes: z
    .array(z.enum(scopes, `Use some of ${scopes.join(", ")}.`))
    .min(1)
    .optional(),
  expires_at: expiresAt.optional(),
  ip_allow: ipAllow.optional(),
});

/** The body of a change. What is left out stays; `null` takes a limit away. */
export const keyChangesRequest = z
  .strictObject({ name, description, expires_at: expiresAt, ip_allow: ipAllow })
  .partial();

/** The body of a rotation. */
export const rotationRequest = z.strictObject({
  overlap_seconds: z
    .int()
    .min(0, "Use 0 to 604800, seven days.")
    .max(604_800, "Use 0 to 604800, seven days.")
    .optional(),
  expires_at: expiresAt.optional(),
  keep_copy: z.boolean().optional(),
});

/**
 * What the limits of a key say, as the service takes them.
 *
 * @throws {@link ProblemError} `invalid_request` naming `expires_at` for an instant that is over,
 *   or the entry of `ip_allow` that is neither an address nor a range.
 */
export function readLimits(
  body: {
    readonly expires_at?: string | null | undefined;
    readonly ip_allow?: string[] | null | undefined;
  },
  nowMs: number,
): { readonly expiresAtMs?: number | null; readonly ipAllow?: readonly string[] | null } {
  return {
    ...(body.expires_at !== undefined && { expiresAtMs: readExpiry(body.expires_at, nowMs) }),
    ...(body.ip_allow !== undefined && { ipAllow: body.ip_allow && readIpAllow(body.ip_allow) }),
  };
}

function readExpiry(text: string | null, nowMs: number): number | null {
  if (text === null) return null;
  const atMs = Date.parse(text);
  if (atMs > nowMs) return atMs;
  throw new ProblemError("invalid_request", {
    field: "expires_at",
    detail: "expires_at: Use an instant to come. To end a key now, revoke it.",
  });
}

function readIpAllow(entries: readonly string[]): readonly string[] {
  try {
    return parseIpRanges(entries).entries;
  } catch (error) {
    if (!(error instanceof IpRangeError)) throw error;
    const field = `ip_allow[${error.index}]`;
    throw new ProblemError("invalid_request", { field, detail: `${field}: ${error.message}` });
  }
}

/** What {@link keyToWire} asks beside the row. */
export interface KeyToWireParts {
  readonly sessions: Pick<Sessions, "countLive">;
  readonly streams: Pick<OpenStreams, "count">;
  readonly now: () => number;
}

/** A key as people see it: all but the secret. */
export async function keyToWire(
  row: ApiKeyRow,
  { sessions, streams, now }: KeyToWireParts,
): Promise<Record<string, unknown>> {
  const instant = (atMs: number | null) => (atMs === null ? null : formatInstant(atMs));
  return {
    id: row.kid,
    name: row.name,
    description: row.description,
    masked: maskApiKey(row.kid),
    state: stateOf(row, now()),
    scopes: JSON.parse(row.scopes) as unknown,
    ip_allow: row.ip_allow === null ? null : (JSON.parse(row.ip_allow) as unknown),
    created_at: formatInstant(row.created_at_ms),
    created_by: row.created_by,
    expires_at: instant(row.expires_at_ms),
    disabled_at: instant(row.disabled_at_ms),
    revoked_at: instant(row.revoked_at_ms),
    replaced_by: row.replaced_by,
    grace_until: instant(row.grace_until_ms),
    grace_calls: row.grace_calls,
    first_used_at: instant(row.first_used_at_ms),
    last_used_at: instant(row.last_used_at_ms),
    networks: JSON.parse(row.networks) as unknown,
    keeps_copy: row.sealed_copy !== null,
    live_sessions: await sessions.countLive(row.kid),
    open_streams: streams.count({ kid: row.kid }),
  };
}
