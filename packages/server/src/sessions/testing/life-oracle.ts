/** What is true of a key: nothing but what was last said about it. */
export interface TrueKey {
  readonly project: string;
  readonly kid: string;
  readonly secret: string;
  isRevoked: boolean;
  isOff: boolean;
  isReplaced: boolean;
  goneAtMs: number;
}

/** What is true of a session: whose it is, and whether somebody has ended it. */
export interface TrueSession {
  readonly project: string;
  readonly key: TrueKey;
  readonly owner: string | null;
  readonly visitor: string | null;
  readonly token: string;
  readonly sid: string;
  readonly issuedAtMs: number;
  readonly endsAtMs: number;
  isOver: boolean;
}

/**
 * The truth as a list that is gone through: every act marks, there and then, each session that it
 * ends. No marks in a log, no mirrors, no instants but those that somebody named.
 */
export function createLifeOracle() {
  const keys: TrueKey[] = [];
  const sessions: TrueSession[] = [];
  const blocked = new Set<string>();
  return {
    keys,
    sessions,
    blocked,
    end(project: string, kind: string, target: string, issuedBeforeMs = Number.POSITIVE_INFINITY) {
      for (const session of sessions) {
        const names = { ...session, key: session.key.kid } as Record<string, unknown>;
        const isMeant = session.project === project && names[kind] === target;
        if (isMeant && session.issuedAtMs <= issuedBeforeMs) session.isOver = true;
      }
    },
    keyAnswer({ isRevoked, isOff, goneAtMs }: TrueKey, nowMs: number): string {
      if (isRevoked) return "key_revoked";
      if (isOff) return "key_disabled";
      return goneAtMs <= nowMs ? "key_rotated" : "ok";
    },
    mayHave: (project: string, owner: string | null, visitor: string | null) =>
      !blocked.has(`${project} owner ${owner}`) && !blocked.has(`${project} visitor ${visitor}`),
    sessionAnswer({ isOver, key, endsAtMs }: TrueSession, nowMs: number): string {
      if (endsAtMs <= nowMs) return "token_expired";
      return isOver || key.isRevoked || key.isOff ? "token_revoked" : "ok";
    },
  };
}
