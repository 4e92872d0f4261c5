import { ProblemError } from "../http/problem-answer.ts";
import type { SessionPrincipal } from "./principal.ts";

/** What sessions may use up, as it was fixed when they were made. */
export interface SessionBudget {
  /**
   * Takes one turn and one stream of a session, before anything is done for it.
   *
   * @throws {@link ProblemError} `budget_exhausted`; then nothing was taken.
   */
  takeTurn(session: SessionPrincipal): TakenTurn;
}

/** A turn that was taken. Settle it or give it back, once. */
export interface TakenTurn {
  /** The turn is over, and has cost so many tokens of the model. */
  settle(modelTokens: number): void;
  /** The turn did not take place. */
  giveBack(): void;
}

interface Spent {
  turns: number;
  modelTokens: number;
  streams: number;
  readonly untilMs: number;
}

/** Creates the budget of one server. What was spent is forgotten with the session, and at a restart. */
export function createSessionBudget(now: () => number = Date.now): SessionBudget {
  const spentBySid = new Map<string, Spent>();

  function forgetEnded(): void {
    for (const [sid, { untilMs }] of spentBySid) if (untilMs <= now()) spentBySid.delete(sid);
  }

  return {
    takeTurn({ sid, policy, expiresAtMs }) {
      const { limits } = policy;
      if (!limits) return { settle: () => undefined, giveBack: () => undefined };
      if (spentBySid.size > 0 && !spentBySid.has(sid)) forgetEnded();
      const spent = spentBySid.get(sid) ?? {
        turns: 0,
        modelTokens: 0,
        streams: 0,
        untilMs: expiresAtMs,
      };
      const isOver =
        spent.turns >= (limits.turns ?? Number.POSITIVE_INFINITY) ||
        spent.modelTokens >= (limits.modelTokens ?? Number.POSITIVE_INFINITY) ||
        spent.streams >= (limits.streams ?? Number.POSITIVE_INFINITY);
      if (isOver) throw new ProblemError("budget_exhausted");
      spent.turns += 1;
      spent.streams += 1;
      spentBySid.set(sid, spent);
      return {
        settle(modelTokens) {
          spent.streams -= 1;
          spent.modelTokens += modelTokens;
        },
        giveBack() {
          spent.streams -= 1;
          spent.turns -= 1;
        },
      };
    },
  };
}
