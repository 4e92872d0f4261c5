/** Where it is kept what sessions have used up. Every write is durable when its promise resolves. */
export interface UsageStore {
  /**
   * Counts a turn, if the session has one left and the day has one left: in both, or in neither.
   * Exact, however many ask at the same time.
   */
  takeTurn(turn: CountedTurn): Promise<TakenTurn>;
  /** Takes a turn back that did not take place. */
  giveBackTurn(turn: CountedTurn): Promise<void>;
  addModelTokens(session: UsedSession, modelTokens: number): Promise<void>;
  /** What a session has used; zero of everything for one that is not known. */
  read(projectId: string, sid: string): Promise<Usage>;
  /** What was counted on a day. */
  readDay(projectId: string, day: string, kind: DayKind): Promise<number>;
}

/** A session as usage is counted for it. */
export interface UsedSession {
  readonly sid: string;
  readonly projectId: string;
  /** When it ends, in seconds since 1970: nothing has to be known of it afterwards. */
  readonly untilS: number;
}

/** Tokens of a model that a session has used up. */
export interface SpentTokens {
  readonly session: UsedSession;
  readonly modelTokens: number;
}

/** A turn, and the bounds that it has to keep. */
export interface CountedTurn extends UsedSession {
  /** At least 1; undefined for no bound. */
  readonly maxTurns: number | undefined;
  /** The count of a day that it is part of. */
  readonly day?: {
    /** `2026-03-17`, UTC. */
    readonly day: string;
    readonly kind: DayKind;
    /** At least 1. */
    readonly max: number;
  };
}

/** What is counted by the day. */
export type DayKind = "visitor_turns";

/** What a session has used. */
export interface Usage {
  readonly turns: number;
  readonly modelTokens: number;
}

/** What {@link UsageStore.takeTurn} gives: the usage with the turn, or the bound that was in the way. */
export type TakenTurn =
  | { readonly kind: "taken"; readonly usage: Usage }
  | { readonly kind: "session-over" }
  | { readonly kind: "day-over" };
