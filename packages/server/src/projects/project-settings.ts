import { z } from "zod";
import type { Rate } from "../limits/gcra.ts";

/** The most that any project may choose for the life of its sessions. */
export const longestSessionSeconds = 86_400;

const perMinute = z.int().min(1).max(1_000_000);
const count = z.int().min(1).max(1_000_000_000);
const names = z.array(z.string().min(1).max(200)).max(100).nullable();
const origin = z
  .string()
  .refine((text) => URL.canParse(text) && new URL(text).origin === text, "is not an origin");

/** A limit that admits `quota` a minute, and as many at once unless `burst` says fewer. */
function rate(quota: number, burst = quota) {
  return z
    .strictObject({ per_minute: perMinute, burst: perMinute.optional() })
    .default({ per_minute: quota, burst })
    .transform(
      (said): Rate => ({
        quota: said.per_minute,
        windowMs: 60_000,
        burst: said.burst ?? said.per_minute,
      }),
    );
}

/**
 * What a project may set, with the defaults of everything that it leaves out: the one place where
 * they stand. Stored as JSON of what was set, so that a default that is changed reaches all who
 * have not chosen.
 */
export const projectSettings = z.strictObject({
  /** The longest life that a session may be given, in seconds. */
  max_session_seconds: z.int().min(60).max(longestSessionSeconds).default(3600),
  /** Pages that sessions may be used from, as origins; null is any. */
  allowed_origins: z.array(origin).max(100).nullable().default(null),
  /** Live sessions of one owner; over it the one that was idle for longest ends. */
  live_sessions_per_owner: z.int().min(1).max(10_000).default(50),
  /** Answers that one owner may have written at the same time. */
  streams_per_owner: z.int().min(1).max(1_000).default(5),
  /** Days for which conversations and their like are kept. */
  retention_days: z.int().min(1).max(3_650).default(90),
  /** What sessions may use at most; null is all there is. */
  allow: z
    .strictObject({
      models: names.default(null),
      tools: names.default(null),
      source_groups: names.default(null),
    })
    .prefault({}),
  /** What one session may use up at most; null is no bound. */
  session: z
    .strictObject({
      turns: count.nullable().default(null),
      model_tokens: count.nullable().default(null),
      streams: count.nullable().default(null),
    })
    .prefault({}),
  /** People who are not signed in: sessions made with a `visitor_id` or a `visitor_ip`. */
  visitors: z
    .strictObject({
      turns_per_session: count.default(20),
      /** All visitors of the project together, on one day of UTC. */
      turns_per_day: count.default(1_000),
    })
    .prefault({}),
  /** How often things may happen. What each one counts stands in `limits/policies.ts`. */
  limits: z
    .strictObject({
      mint_key: rate(600, 100),
      key_requests: rate(6000, 600),
      mint_owner: rate(30),
      mint_visitor: rate(10),
      mint_visitor_address: rate(30),
      session: rate(60),
      session_requests: rate(600),
      owner: rate(120),
      visitor: rate(20),
      visitor_address: rate(60),
      project: rate(6000),
      introspect: rate(6000),
    })
    .prefault({}),
});

/** The settings of a project with every default filled in. */
export type ProjectSettings = z.output<typeof projectSettings>;

/** What a project has set, as it is written and stored. */
export type ProjectSettingsInput = z.input<typeof projectSettings>;

/** A limit that a project can set. */
export type LimitName = keyof ProjectSettings["limits"];

/** The settings of a project that has set nothing. */
export const defaultSettings: ProjectSettings = projectSettings.parse({});

/** Settings as the admin API tells them: the numbers in the form in which they are set. */
export function toSettingsWire(settings: ProjectSettings): Record<string, unknown> {
  const limits = Object.entries(settings.limits).map(([name, { quota, burst }]) => [
    name,
    { per_minute: quota, burst },
  ]);
  return { ...settings, limits: Object.fromEntries(limits) };
}
