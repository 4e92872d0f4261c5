import type { Actor } from "../audit/audit-context.ts";
import type { ApiKeyRow } from "../database/schema.ts";
import type { OpenStreams } from "../sessions/open-streams.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { ApiKeys } from "./api-keys.ts";

/** What a revocation of a key has ended. */
export interface KeyRevocation {
  readonly row: ApiKeyRow;
  readonly endedSessions: number;
  readonly endedStreams: number;
}

/**
 * Ends a key with everything that hangs on it: when it resolves, the key and its sessions are
 * refused and its streams are cut.
 */
export async function revokeKey(
  which: { readonly projectId: string; readonly kid: string; readonly actor: Actor },
  parts: { readonly keys: ApiKeys; readonly sessions: Sessions; readonly streams: OpenStreams },
): Promise<KeyRevocation> {
  const { projectId, kid, actor } = which;
  parts.keys.get(projectId, kid);
  const endedSessions = await parts.sessions.countLive(kid);
  const row = await parts.keys.revoke(projectId, kid, actor);
  const endedStreams = parts.streams.cut({ kid }, "key_revoked");
  return { row, endedSessions, endedStreams };
}
