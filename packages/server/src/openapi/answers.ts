import { z } from "zod";

const instant = z.string().describe("UTC, ISO 8601 with microseconds and `Z`.");
const instantOrNull = instant.nullable();
const text = z.string();

/** `201` of a mint. */
export const sessionReply = z.object({
  session_token: text.describe(
    "64 characters, opaque. For `Authorization: Bearer` and nothing else.",
  ),
  expires_at: instant,
  expires_in: z.int().describe("The same as whole seconds from now."),
  session_id: text.describe("`ses_…`; names the session and opens nothing."),
  api_url: text
    .optional()
    .describe("Where the SDK finds the server, when the operator has set it."),
});

const limits = z.object({
  turns: z.int().nullable(),
  model_tokens: z.int().nullable(),
  streams: z.int().nullable(),
});

/** A session as its key sees it. */
export const session = z.looseObject({
  session_id: text,
  status: z.enum(["active", "expired", "revoked"]),
  key_id: text,
  integration_id: text.nullable(),
  external_owner_id: text.nullable(),
  visitor_id: text.nullable(),
  created_at: instant,
  expires_at: instant,
  revoked_at: instantOrNull,
  metadata: z.record(z.string(), z.unknown()).nullable(),
});

const left = z
  .object({ turns: z.int().nullable(), model_tokens: z.int().nullable() })
  .describe("What is left until the session ends; `null` where nothing bounds it.");

/** One session, with how it stands with its limits. */
export const sessionStanding = session.extend({
  limits,
  left,
  rates: z
    .array(
      z.object({
        policy: text,
        quota: z.int(),
        window_seconds: z.number(),
        remaining: z.int(),
        reset_seconds: z.int(),
      }),
    )
    .describe("How often it may ask now, by the policies of `RateLimit-Policy`."),
});

/** A page of sessions. */
export const sessionPage = z.object({
  sessions: z.array(session),
  next_cursor: text.nullable().describe("For `cursor`; `null` on the last page."),
});

/** A session as it sees itself. */
export const ownSession = z.looseObject({
  session_id: text,
  project_id: text,
  integration_id: text.nullable(),
  external_owner_id: text.nullable(),
  expires_at: instant,
  expires_in: z.int(),
  limits: z.looseObject(limits.shape),
  left,
});

/** What introspection says (RFC 7662 section 2.2). */
export const introspection = z.looseObject({
  active: z.boolean(),
  token_type: text.optional(),
  scope: text.optional(),
  client_id: text.optional().describe("The key that made the session."),
  sub: text.optional().describe("The owner."),
  iat: z.int().optional(),
  exp: z.int().optional(),
  session_id: text.optional(),
  project_id: text.optional(),
});

/** What a revocation did. */
export const revoked = z.object({
  revoked: z.int().describe("How many targets."),
  ended_streams: z.int().describe("How many answers were cut."),
});

const thread = z.object({
  id: text,
  title: text,
  created_at: instant,
  updated_at: instant,
  message_count: z.int(),
});

const source = z.object({
  sourceId: text,
  number: z.int(),
  url: text,
  title: text,
  headingPath: z.array(text),
  snippet: text,
});

const message = z.object({
  id: text,
  role: z.enum(["user", "assistant"]),
  parts: z.array(
    z.union([
      z.object({ type: z.literal("text"), text }),
      z.object({
        type: z.literal("tool-call"),
        toolCallId: text,
        toolName: text,
        input: z.unknown().describe("With what the tool is called."),
        originalInput: z.unknown().optional().describe("What the model wrote, before an edit."),
        state: z.enum([
          "pending",
          "approval_requested",
          "approved",
          "running",
          "completed",
          "error",
          "denied",
          "stopped",
        ]),
        side: z.enum(["server", "page"]).describe("Who runs it."),
        needsApproval: z.boolean().optional(),
        approvalId: text.optional().describe("What a decision about it names."),
        isEditable: z.boolean().optional(),
        decidedAt: instant.optional(),
        output: z.unknown().optional(),
        errorText: text.optional(),
        durationMs: z.number().optional(),
      }),
    ]),
  ),
  sources: z.array(source).optional(),
  cited: z.array(text).optional().describe("`sourceId`s of the sources that the text cites."),
  error: z.object({ code: text, message: text }).optional(),
  feedback: z.object({ rating: z.enum(["up", "down"]), comment: text.optional() }).optional(),
  created_at: instant,
});

/** A page of conversations. */
export const threadPage = z.object({ threads: z.array(thread), next_cursor: text.nullable() });

/** One conversation. */
export const storedThread = z.object({
  thread,
  messages: z.array(message),
  active_run_id: text.nullable().describe("The run that is going on, to attach to."),
});

/** Whether a run was stopped. */
export const stopped = z.object({ stopped: z.boolean() });

/** Where a source page opens once. */
export const ticket = z.object({ url: text });

const person = z.object({ id: text, name: text, email: text });

/** Whoever is signed in. */
export const me = z.looseObject({ user: person });

/** Whether anybody has an account. */
export const accounts = z.looseObject({ accounts: z.boolean() });

/** What the server says about itself. */
export const serverFacts = z.looseObject({
  version: text,
  public_url: text.nullable(),
  sdk_packages: z.record(z.string(), text),
  browser_bundle: text,
});

/** A page of the audit. */
export const auditPage = z.object({
  lines: z.array(
    z.looseObject({
      n: z.int().describe("Its number, without gaps."),
      at: instant,
      team_id: text.nullable(),
      project_id: text.nullable(),
      actor: text,
      event: text,
      target: text.nullable(),
      request_id: text.nullable(),
      network: text.nullable(),
      agent: text.nullable(),
      detail: z.unknown(),
      prev_hash: text,
      hash: text,
    }),
  ),
  next_cursor: text.nullable().describe("For `cursor`; `null` on the last page."),
});

/** Teams. */
export const teams = z.object({ teams: z.array(z.looseObject({ id: text, name: text })) });

const project = z.looseObject({
  id: text,
  team_id: text.nullable(),
  name: text,
  demo: z.boolean(),
  created_at: instant,
});

/** One project. */
export const oneProject = z.object({ project });

/** Projects. */
export const projects = z.object({ projects: z.array(project) });

/** The settings of a project, every default filled in. */
export const projectSettings = z.object({
  settings: z.record(z.string(), z.unknown()),
  defaults: z.record(z.string(), z.unknown()),
  disabled: z.boolean(),
});

/** How a switch stands. */
export const switched = z.object({ disabled: z.boolean() });

const integration = z.looseObject({ id: text, name: text, kind: text, created_at: instant });

/** One integration. */
export const oneIntegration = z.object({ integration });

/** Integrations. */
export const integrations = z.object({ integrations: z.array(integration) });

const key = z.looseObject({
  id: text.describe("The 12 characters that name the key."),
  name: text,
  description: text.nullable().describe("Where it is used, in its maker's words."),
  masked: text,
  state: z
    .enum(["active", "in_grace", "rotated", "expired", "disabled", "revoked"])
    .describe("`in_grace` was replaced and still works; `rotated` was replaced and does not."),
  scopes: z.array(text),
  ip_allow: z.array(text).nullable().describe("Where it may be used from; `null` is anywhere."),
  created_at: instant,
  created_by: text.nullable(),
  expires_at: instantOrNull,
  disabled_at: instantOrNull,
  revoked_at: instantOrNull,
  replaced_by: text.nullable().describe("The key that took its place."),
  grace_until: instantOrNull.describe("Until when it works after that."),
  grace_calls: z.int().describe("How often it was used after that."),
  first_used_at: instantOrNull,
  last_used_at: instantOrNull.describe("To the minute."),
  networks: z.array(text).describe("The last 20 networks it was used from, as /24 or /48."),
  keeps_copy: z.boolean(),
  live_sessions: z.int(),
  open_streams: z.int(),
});

/** One key, without its text. */
export const oneKey = z.looseObject({ key });

/** Keys. */
export const keys = z.object({ keys: z.array(key) });

/** A new key. Its text is in no other answer. */
export const newKey = z.looseObject({ key, secret: text.describe("The key. Shown once.") });

/** The kept copy of a key. */
export const keyCopy = z.object({ secret: text });

/** What revoking a key ended. */
export const revokedKey = z.looseObject({
  key,
  ended_sessions: z.int(),
  ended_streams: z.int(),
});

/** A new key in the place of another. */
export const rotatedKey = z.looseObject({
  key,
  secret: text.describe("The new key. Shown once."),
  replaced: key,
});

/** A replaced key whose overlap was ended. */
export const graceEnded = z.looseObject({ key, ended_streams: z.int() });

/** That the server is up. */
export const health = z.object({ status: z.literal("ok") });

/** Shapes that several answers share, by the names that they have in the description. */
export const shared: Readonly<Record<string, z.ZodType>> = {
  Session: session,
  Thread: thread,
  Message: message,
  Source: source,
  Person: person,
  Project: project,
  Integration: integration,
  ApiKey: key,
};
