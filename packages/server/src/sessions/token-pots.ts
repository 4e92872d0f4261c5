/** Tokens of a model that were set apart for one call of it. Settle it once. */
export interface TokenShare {
  readonly maxTokens: number;
  /** The call is over and has cost so many. */
  settle(spent: number): void;
}

/** What sessions may still spend, while they run: shared out before it is spent. */
export interface TokenPots {
  /** Opens a session's pot for a run, or joins the runs that share it. */
  join(sid: string, limit: number): TokenPot;
}

/** The pot of one session, as one run sees it. */
export interface TokenPot {
  /** Says what the session has spent before, unless another run has said so. */
  fill(spentBefore: number): void;
  /** Whether nothing is left, or all that is left is set apart for other calls. */
  state(): "open" | "all-shared" | "empty";
  /**
   * Sets tokens apart: half of what is left, so that another run finds something too, but at
   * least `atLeast` if there are so many. Undefined when nothing is left.
   */
  take(atLeast: number): TokenShare | undefined;
  /** What this run has spent. */
  readonly spent: number;
  /** The run is over, and what it spent is written down. */
  leave(): void;
}

interface Pot {
  runs: number;
  spent: number | undefined;
  shared: number;
}

/** Creates the pots of one server. One is there as long as a run has joined it. */
export function createTokenPots(): TokenPots & { readonly size: number } {
  const pots = new Map<string, Pot>();
  return {
    get size() {
      return pots.size;
    },
    join(sid, limit) {
      const pot = pots.get(sid) ?? { runs: 0, spent: undefined, shared: 0 };
      pots.set(sid, pot);
      pot.runs += 1;
      let mine = 0;
      const left = () => limit - (pot.spent ?? 0) - pot.shared;
      return {
        fill(spentBefore) {
          // While others run, the pot knows more than what is written down.
          pot.spent ??= spentBefore;
        },
        state() {
          if (left() > 0) return "open";
          return pot.shared > 0 ? "all-shared" : "empty";
        },
        take(atLeast) {
          const most = left();
          if (most <= 0) return undefined;
          const maxTokens = Math.min(most, Math.max(Math.ceil(most / 2), atLeast));
          pot.shared += maxTokens;
          return {
            maxTokens,
            settle(spent) {
              pot.shared -= maxTokens;
              pot.spent = (pot.spent ?? 0) + spent;
              mine += spent;
            },
          };
        },
        get spent() {
          return mine;
        },
        leave() {
          pot.runs -= 1;
          if (pot.runs === 0) pots.delete(sid);
        },
      };
    },
  };
}
