import type { KeyRefusal } from "../api-keys/key-state.ts";
import type { SessionPrincipal } from "./principal.ts";

/** Why a stream was cut from outside. */
export type CutReason = "token_revoked" | KeyRefusal;

/** The streams that are open now, so that a revocation ends them and not only the next request. */
export interface OpenStreams {
  /**
   * Notes a stream. `cut` is called at most once, synchronously, when its session or key is
   * revoked, which may be before this returns; it must not throw.
   *
   * @returns Call it when the stream has ended.
   */
  add(session: SessionPrincipal, cut: (reason: CutReason) => void): () => void;
  /** Cuts every stream that fits, and says how many. */
  cut(which: StreamFilter, reason: CutReason): number;
  /** How many streams fit. */
  count(which: StreamFilter): number;
}

/** Chooses streams by session, by key, or by what a session is. */
export type StreamFilter =
  | { readonly sid: string }
  | { readonly kid: string }
  | ((session: SessionPrincipal) => boolean);

/** What {@link createOpenStreams} needs. */
export interface OpenStreamsOptions {
  /**
   * Why a session may have no stream any more. Asked when one is noted: between the check of its
   * token and that moment it may have been revoked. @default never
   */
  readonly endOf?: (session: SessionPrincipal) => CutReason | undefined;
}

/** Creates the registry of one server. */
export function createOpenStreams({
  endOf = () => undefined,
}: OpenStreamsOptions = {}): OpenStreams {
  const entries = new Set<{ session: SessionPrincipal; cut: (reason: CutReason) => void }>();
  const fitting = (which: StreamFilter) =>
    [...entries].filter(({ session }) => {
      if (typeof which === "function") return which(session);
      return "sid" in which ? session.sid === which.sid : session.kid === which.kid;
    });
  return {
    add(session, cut) {
      const over = endOf(session);
      if (over !== undefined) {
        cut(over);
        return () => undefined;
      }
      const entry = { session, cut };
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    cut(which, reason) {
      const cutNow = fitting(which);
      for (const entry of cutNow) {
        entries.delete(entry);
        entry.cut(reason);
      }
      return cutNow.length;
    },
    count: (which) => fitting(which).length,
  };
}
