import { ProblemError } from "../http/problem-answer.ts";
import { createOpenCounts, type OpenCounts } from "../limits/open-counts.ts";
import type { ProjectSettings } from "../projects/project-settings.ts";
import { isVisitor, type SessionPrincipal } from "./principal.ts";
import { createTokenPots, type TokenPot, type TokenShare } from "./token-pots.ts";
import type {
  CountedTurn,
  SpentTokens,
  TakenTurn,
  Usage,
  UsageStore,
  UsedSession,
} from "./usage-store.ts";

/** What sessions may use up: turns, tokens of the model, and answers at the same time. */
export interface SessionBudget {
  /**
   * Takes what a run needs before anything is done for it. A turn is durable when this resolves:
   * a crash can cost somebody a turn, and never gives one away.
   *
   * @param takesTurn Whether a question begins; outputs of tools go on with a turn that was paid for.
   * @throws {@link ProblemError} `budget_exhausted` or `quota_exceeded`; then nothing was taken.
   */
  begin(session: SessionPrincipal, takesTurn: boolean): Promise<RunBudget>;
  /** What a session has used up, as far as it is counted. */
  used(session: SessionPrincipal): Promise<Usage>;
}

/** What was taken for one run. Settle it or give it back, once. */
export interface RunBudget {
  /**
   * Sets tokens apart for one call of the model; undefined for a session without a bound.
   *
   * @param atLeast What the call needs for its prompt.
   * @throws {@link ProblemError} `budget_exhausted`.
   */
  takeTokens(atLeast: number): TokenShare | undefined;
  /** What the run has spent so far; undefined for a session without a bound. */
  readonly spent: SpentTokens | undefined;
  /**
   * The run is over. What it has cost is durable when this resolves.
   *
   * @param write Writes it, with whatever else belongs to it. Until then it stays taken.
   */
  settle(write?: (spent: SpentTokens | undefined) => Promise<void>): Promise<void>;
  /** The run did not take place. */
  giveBack(): Promise<void>;
}

/** What {@link createSessionBudget} needs. */
export interface SessionBudgetOptions {
  readonly store: UsageStore;
  readonly settingsOf: (projectId: string) => ProjectSettings;
  readonly now?: () => number;
}

const dayMs = 86_400_000;

/** Creates the budget of one server. */
export function createSessionBudget({
  store,
  settingsOf,
  now = Date.now,
}: SessionBudgetOptions): SessionBudget {
  const streams = createOpenCounts();
  const pots = createTokenPots();

  return {
    async begin(session, takesTurn) {
      const leaveStreams = enterStreams(streams, session, settingsOf(session.projectId));
      const { limits } = session.policy;
      const pot =
        limits?.modelTokens === undefined ? undefined : pots.join(session.sid, limits.modelTokens);
      const nowMs = now();
      const turn = takesTurn ? turnOf(session, settingsOf(session.projectId), nowMs) : undefined;
      const leave = () => {
        leaveStreams();
        pot?.leave();
      };
      const spent = () => pot && { session: usedSession(session), modelTokens: pot.spent };
      const close = async (
        write = async (tokens: SpentTokens | undefined) => {
          if (!tokens || tokens.modelTokens === 0) return;
          await store.addModelTokens(tokens.session, tokens.modelTokens);
        },
      ) => {
        leaveStreams();
        // Left only when it is written: until then the pot knows what the store does not.
        await write(spent());
        pot?.leave();
      };
      try {
        const usage = await take(store, session, turn, pot, nowMs);
        if (usage) pot?.fill(usage.modelTokens);
        const state = pot?.state() ?? "open";
        if (state !== "open") {
          if (turn) await store.giveBackTurn(turn);
          throw tokensAreOver(state);
        }
      } catch (error) {
        leave();
        throw error;
      }
      return {
        takeTokens(atLeast) {
          if (!pot) return undefined;
          const share = pot.take(atLeast);
          if (!share) throw tokensAreOver(pot.state());
          return share;
        },
        get spent() {
          return spent();
        },
        settle: close,
        async giveBack() {
          await close();
          if (turn) await store.giveBackTurn(turn);
        },
      };
    },

    used: ({ projectId, sid }) => store.read(projectId, sid),
  };
}

/** Counts the turn, and reads what was spent where that matters. */
async function take(
  store: UsageStore,
  session: SessionPrincipal,
  turn: CountedTurn | undefined,
  pot: TokenPot | undefined,
  nowMs: number,
): Promise<Usage | undefined> {
  // Nobody counts what has no bound.
  if (!turn) return pot ? store.read(session.projectId, session.sid) : undefined;
  const taken = await store.takeTurn(turn);
  if (taken.kind !== "taken") throw turnsAreOver(taken, turn, nowMs);
  return taken.usage;
}

function enterStreams(
  streams: OpenCounts,
  { sid, projectId, owner, policy }: SessionPrincipal,
  settings: ProjectSettings,
): () => void {
  const most = policy.limits?.streams;
  const ofSession = `session ${sid}`;
  const left = streams.enter([
    ...(most === undefined ? [] : [{ name: ofSession, max: most }]),
    ...(owner === null
      ? []
      : [{ name: `owner ${projectId}\n${owner}`, max: settings.streams_per_owner }]),
  ]);
  if (typeof left !== "string") return left;
  throw new ProblemError("quota_exceeded", {
    detail: "As many answers as may be written at the same time are being written. Wait for one.",
    "violated-policies": [left === ofSession ? "session-streams" : "owner-streams"],
    headers: { "retry-after": "2" },
  });
}

/** The turn as it is counted; undefined where nothing bounds it. */
function turnOf(
  session: SessionPrincipal,
  settings: ProjectSettings,
  nowMs: number,
): CountedTurn | undefined {
  const { limits } = session.policy;
  const countsForDay = isVisitor(session);
  if (limits?.turns === undefined && !countsForDay) return undefined;
  return {
    ...usedSession(session),
    maxTurns: limits?.turns,
    ...(countsForDay && {
      day: {
        day: new Date(nowMs).toISOString().slice(0, 10),
        kind: "visitor_turns",
        max: settings.visitors.turns_per_day,
      },
    }),
  };
}

/** A session as its usage is counted. */
export function usedSession({ sid, projectId, expiresAtMs }: SessionPrincipal): UsedSession {
  return { sid, projectId, untilS: Math.ceil(expiresAtMs / 1000) };
}

function turnsAreOver(
  taken: Exclude<TakenTurn, { kind: "taken" }>,
  turn: CountedTurn,
  nowMs: number,
) {
  if (taken.kind === "session-over") {
    return new ProblemError("budget_exhausted", {
      detail: "The session has asked as often as it may. A new session may ask again.",
      "violated-policies": ["session-turns"],
    });
  }
  const endsAtMs = Date.parse(`${turn.day?.day ?? ""}T00:00:00Z`) + dayMs;
  return new ProblemError("quota_exceeded", {
    detail: "People who are not signed in have asked as much as they may today, all together.",
    "violated-policies": ["visitor-turns-per-day"],
    headers: { "retry-after": String(Math.max(1, Math.ceil((endsAtMs - nowMs) / 1000))) },
  });
}

function tokensAreOver(state: "all-shared" | "empty" | "open") {
  const isShared = state === "all-shared";
  return new ProblemError("budget_exhausted", {
    detail: isShared
      ? "What is left of the session's model tokens is in use by answers being written."
      : "The session has used up its model tokens. A new session has new ones.",
    "violated-policies": ["session-model-tokens"],
    ...(isShared && { headers: { "retry-after": "2" } }),
  });
}
