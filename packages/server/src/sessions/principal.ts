/** What a session may do, fixed when it was made; requests can only narrow it. */
export interface SessionPolicy {
  /** Pages it may be used from. Absent: any. */
  readonly origins?: readonly string[];
  readonly limits?: {
    readonly turns?: number;
    readonly modelTokens?: number;
    readonly streams?: number;
  };
  readonly allow?: {
    readonly models?: readonly string[];
    readonly tools?: readonly string[];
    readonly sourceGroups?: readonly string[];
  };
}

/**
 * Who is asking, as a verified session tells it. Comes from the session's row and never from
 * anything in the request.
 */
export interface SessionPrincipal {
  /** `ses_` and 22 characters; safe to log. */
  readonly sid: string;
  /** Set when a key asks for itself, without a session; then `sid` is `key_` and the key's id. */
  readonly direct?: true;
  readonly projectId: string;
  /** The API key that made the session. */
  readonly kid: string;
  /** The integration it was made for, if it was made for one. */
  readonly integrationId: string | null;
  /** The customer's id of the person; threads belong to it. */
  readonly owner: string | null;
  /** An anonymous person, as the session proxy told them apart when the session was made. */
  readonly visitorId: string | null;
  /** The address from which they asked, as the session proxy saw it. */
  readonly visitorIp: string | null;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly policy: SessionPolicy;
}

/** Whether a session was made for somebody who is not signed in. */
export function isVisitor({
  visitorId,
  visitorIp,
}: Pick<SessionPrincipal, "visitorId" | "visitorIp">): boolean {
  return visitorId !== null || visitorIp !== null;
}
