import type { ApiKeyRow } from "../database/schema.ts";
import type { OpenStreams } from "../sessions/open-streams.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { ApiKeys } from "./api-keys.ts";
import type { KeyAct } from "./key-acts.ts";

/** What the end of a key has ended with it. */
export interface KeyEnding {
  readonly row: ApiKeyRow;
  readonly endedSessions: number;
  readonly endedStreams: number;
}

/** What {@link endKey} needs. */
export interface EndKeyParts {
  readonly keys: ApiKeys;
  readonly sessions: Sessions;
  readonly streams: OpenStreams;
}

/**
 * Revokes or disables a key with everything that hangs on it: when it resolves, the key and its
 * sessions are refused and its streams are cut.
 */
export async function endKey(
  how: "revoke" | "disable",
  act: KeyAct,
  { keys, sessions, streams }: EndKeyParts,
): Promise<KeyEnding> {
  keys.get(act.projectId, act.kid);
  const endedSessions = await sessions.countLive(act.kid);
  const row = await keys[how](act);
  const reason = how === "revoke" ? "key_revoked" : "key_disabled";
  const endedStreams = streams.cut({ kid: act.kid }, reason);
  return { row, endedSessions, endedStreams };
}
