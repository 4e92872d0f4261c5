import { Hono } from "hono";
import { z } from "zod";
import type { KeyGate } from "../api-keys/key-gate.ts";
import { requireKey } from "../api-keys/require-key.ts";
import { auditContext } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import { answerProblem, ProblemError } from "../http/problem-answer.ts";
import { readFields } from "../http/read-fields.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { SessionPrincipal } from "./principal.ts";
import type { Sessions } from "./sessions.ts";

/** What {@link tokenRoutes} needs. */
export interface TokenRoutesOptions {
  readonly sessions: Sessions;
  readonly gate: KeyGate;
  readonly limits: RateLimits;
}

/** Unknown parameters are ignored, as RFC 7662 and RFC 7009 ask. */
export const tokenRequest = z.object({
  token: z.string().min(1).max(8_192),
  token_type_hint: z.string().max(100).optional(),
});

/**
 * Introspection and revocation by token, as OAuth clients know them. The key may come as the
 * client's Basic credentials, `kid:key`; errors say `error` beside `code`.
 *
 * @see RFC 7662, RFC 7009
 */
export function tokenRoutes({ sessions, gate, limits }: TokenRoutesOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });
  app.onError((thrown, c) => {
    if (!(thrown instanceof ProblemError)) throw thrown;
    const { code, details, headers } = thrown;
    const error = oauthErrors[code] ?? "invalid_request";
    const isClient = error === "invalid_client";
    return answerProblem(
      c,
      new ProblemError(code, {
        ...details,
        error,
        headers: { ...headers, ...(isClient && { "www-authenticate": 'Basic realm="valet"' }) },
      }),
    );
  });

  /** The session of a token of the caller's own project, if the token is good now. */
  async function find(token: string, projectId: string): Promise<SessionPrincipal | undefined> {
    try {
      const session = await sessions.verify(token);
      return session.projectId === projectId ? session : undefined;
    } catch (thrown) {
      if (thrown instanceof ProblemError) return undefined;
      throw thrown;
    }
  }

  app.post(
    "/sessions/introspect",
    requireKey(gate, "introspect", { mayBeBasic: true }),
    async (c) => {
      await limits.introspect(c);
      const { token } = await readFields(c, tokenRequest);
      const session = await find(token, c.get("key").projectId);
      // Unknown, foreign, expired and revoked must not be told apart (RFC 7662 section 2.2).
      if (!session) return c.json({ active: false });
      const { owner } = session;
      return c.json({
        active: true,
        token_type: "Bearer",
        scope: "agent",
        client_id: session.kid,
        ...(owner !== null && { sub: owner }),
        iat: Math.floor(session.issuedAtMs / 1000),
        exp: Math.floor(session.expiresAtMs / 1000),
        session_id: session.sid,
        project_id: session.projectId,
        integration_id: session.integrationId,
        visitor_id: session.visitorId,
      });
    },
  );

  app.post(
    "/sessions/revoke",
    requireKey(gate, "sessions:revoke", { mayBeBasic: true }),
    async (c) => {
      await limits.keyRequest(c);
      const { token } = await readFields(c, tokenRequest);
      const { projectId, kid } = c.get("key");
      const session = await find(token, projectId);
      if (session) await sessions.revoke(projectId, session.sid, auditContext(c, `key:${kid}`));
      // A token that is not good has nothing left to revoke (RFC 7009 section 2.2).
      return c.body(null, 200);
    },
  );
  return app;
}

const oauthErrors: Readonly<Record<string, string>> = {
  missing_credential: "invalid_client",
  ambiguous_credentials: "invalid_request",
  invalid_api_key: "invalid_client",
  key_revoked: "invalid_client",
  key_disabled: "invalid_client",
  key_expired: "invalid_client",
  key_rotated: "invalid_client",
  ip_not_allowed: "unauthorized_client",
  insufficient_scope: "unauthorized_client",
  api_key_in_browser: "unauthorized_client",
  not_found: "invalid_client",
  unavailable: "temporarily_unavailable",
  quota_exceeded: "temporarily_unavailable",
};
