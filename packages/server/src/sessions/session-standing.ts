import type { SessionRate, SessionStatus } from "@valet/protocol";
import { resetSeconds } from "../limits/limit-headers.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { SessionPrincipal } from "./principal.ts";
import type { SessionBudget } from "./session-budget.ts";

/** What a session may use up, and what is left of it. */
export type StandingOfSession = Pick<SessionStatus, "limits" | "left">;

/** How a session stands with what it may use up, and how often it may ask. */
export interface SessionStanding {
  /** What it may use up, and what is left; reads nothing for a session without bounds. */
  left(session: SessionPrincipal): Promise<StandingOfSession>;
  /** The same for a session whose use is not counted; undefined for one with bounds. */
  leftUnbound(session: SessionPrincipal): StandingOfSession | undefined;
  /** How often it may ask now. Counts nothing. */
  rates(session: SessionPrincipal): Promise<readonly SessionRate[]>;
}

/** What {@link createSessionStanding} needs. */
export interface SessionStandingOptions {
  readonly budget: Pick<SessionBudget, "used">;
  readonly limits: Pick<RateLimits, "look">;
  /** Narrows a session's policy to what its project says now. */
  readonly inForce: (session: SessionPrincipal) => SessionPrincipal;
}

/** Creates what tells sessions and their makers how they stand. */
export function createSessionStanding({
  budget,
  limits,
  inForce,
}: SessionStandingOptions): SessionStanding {
  function leftUnbound(session: SessionPrincipal): StandingOfSession | undefined {
    const { turns, modelTokens, streams = null } = inForce(session).policy.limits ?? {};
    if (turns !== undefined || modelTokens !== undefined) return undefined;
    return {
      limits: { turns: null, model_tokens: null, streams },
      left: { turns: null, model_tokens: null },
    };
  }

  return {
    leftUnbound,
    async left(session) {
      const unbound = leftUnbound(session);
      if (unbound) return unbound;
      const { turns, modelTokens, streams = null } = inForce(session).policy.limits ?? {};
      const used = await budget.used(session);
      const rest = (most: number | undefined, spent: number) =>
        most === undefined ? null : Math.max(0, most - spent);
      return {
        limits: { turns: turns ?? null, model_tokens: modelTokens ?? null, streams },
        left: {
          turns: rest(turns, used.turns),
          model_tokens: rest(modelTokens, used.modelTokens),
        },
      };
    },
    async rates(session) {
      const verdicts = await limits.look(session);
      return verdicts.map((verdict) => ({
        policy: verdict.policy,
        quota: verdict.rate.quota,
        window_seconds: verdict.rate.windowMs / 1000,
        remaining: verdict.remaining,
        reset_seconds: resetSeconds(verdict),
      }));
    },
  };
}
