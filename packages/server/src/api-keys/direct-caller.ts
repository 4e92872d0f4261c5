import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/app-env.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { ProjectStates } from "../projects/project-states.ts";
import { policyOfProject } from "../sessions/narrow-policy.ts";
import type { OpenStreams } from "../sessions/open-streams.ts";
import type { SessionPolicy, SessionPrincipal } from "../sessions/principal.ts";
import type { ApiKeys } from "./api-keys.ts";
import type { KeyGate } from "./key-gate.ts";
import type { KeyPrincipal } from "./key-mirror.ts";

/** What {@link requireCaller} needs. */
export interface RequireCallerOptions {
  readonly gate: KeyGate;
  /** `requireSession`, for those who come with a session. */
  readonly bySession: MiddlewareHandler<AppEnv>;
  readonly states: Pick<ProjectStates, "isProjectOff" | "settings">;
  readonly now?: () => number;
}

/**
 * Lets a session through, or a key with `agent:direct`, which then asks in its own name.
 *
 * @throws {@link ProblemError} As `requireSession`, or for a key as {@link KeyGate.admit};
 *   `ambiguous_credentials` for both at once, `project_disabled`.
 */
export function requireCaller({ gate, bySession, states, now = Date.now }: RequireCallerOptions) {
  return createMiddleware<AppEnv>(async (c, next) => {
    if (c.req.header("x-api-key") === undefined) return bySession(c, next);
    const key = await gate.admit(c, "agent:direct");
    if (states.isProjectOff(key.projectId)) throw new ProblemError("project_disabled");
    // What one session may use up is no measure for a key; what may be used at all is.
    const { allow } = policyOfProject(states.settings(key.projectId), false);
    c.set("session", toCaller(key, { nowMs: now(), policy: allow ? { allow } : {} }));
    await next();
    return undefined;
  });
}

/**
 * Who a key is when it asks for itself: nobody's session, so it has no owner and no history; the
 * ids of its threads are capabilities. Everything here comes from the key's own row.
 */
export function toCaller(
  { kid, projectId }: KeyPrincipal,
  { nowMs, policy }: { readonly nowMs: number; readonly policy: SessionPolicy },
): SessionPrincipal {
  return {
    sid: `key_${kid}`,
    direct: true,
    projectId,
    kid,
    integrationId: null,
    owner: null,
    visitorId: null,
    visitorIp: null,
    issuedAtMs: nowMs,
    // The key itself is asked on every call, and by `cutEndedCallers` in between.
    expiresAtMs: Number.POSITIVE_INFINITY,
    policy,
  };
}

/**
 * Cuts the streams of keys that ask for themselves and may no longer be used, for whichever
 * reason; says how many. Sessions are left alone: they end by their own rules.
 */
export function cutEndedCallers(keys: Pick<ApiKeys, "refusal">, streams: OpenStreams): number {
  if (streams.count(({ direct }) => direct === true) === 0) return 0;
  let count = 0;
  const reasons = ["key_revoked", "key_disabled", "key_expired", "key_rotated"] as const;
  for (const reason of reasons) {
    count += streams.cut(
      ({ direct, kid }) => direct === true && keys.refusal(kid) === reason,
      reason,
    );
  }
  return count;
}
