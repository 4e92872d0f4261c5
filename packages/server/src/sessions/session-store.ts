import type { NewAudit, SessionRow } from "../database/schema.ts";

/** Where sessions are kept. Every write is durable when its promise resolves. */
export interface SessionStore {
  /**
   * Adds a session. Sessions that come at the same time become durable together; one that cannot
   * be written fails alone, and what fails for all of them is told to each.
   */
  insert(row: SessionRow): Promise<void>;
  /** Resolves when no insert is under way any more. */
  flush(): Promise<void>;
  /** The session of a token's digest. */
  byDigest(digest: Buffer): Promise<SessionRow | undefined>;
  bySid(projectId: string, sid: string): Promise<SessionRow | undefined>;
  /** Sessions of a project, newest first. */
  list(options: SessionListOptions): Promise<SessionRow[]>;
  /** How many sessions of a key have not ended. */
  countLive(kid: string, nowMs: number): Promise<number>;
  /** Sessions of an owner that have neither expired nor been ended by themselves. */
  liveOfOwner(projectId: string, owner: string, nowMs: number): Promise<SessionRow[]>;
  /** Whose the live sessions are, in the order of their digests, after one of them. */
  liveOwners(options: {
    readonly nowMs: number;
    readonly after?: Buffer;
    readonly limit: number;
  }): Promise<LiveOwner[]>;
  /** Ends a session: the row, the revocation and the audit, all or none. */
  revoke(options: {
    readonly row: SessionRow;
    readonly atMs: number;
    readonly audit: NewAudit;
  }): Promise<void>;
  /** Names of the sessions that were ended before their time, and whose time has not come yet. */
  revokedSids(nowMs: number): Promise<string[]>;
  /** When the last of the sessions whose time has not come was made; 0 when there is none. */
  latestIssuedMs(nowMs: number): Promise<number>;
}

/** A live session, as far as it takes to count it. */
export interface LiveOwner {
  readonly digest: Buffer;
  readonly project_id: string;
  readonly owner: string;
  readonly expires_at_s: number;
}

/** Which sessions {@link SessionStore.list} gives. */
export interface SessionListOptions {
  readonly projectId: string;
  readonly owner?: string;
  readonly kid?: string;
  /** Only sessions made before this instant, or at it with a smaller sid. */
  readonly before?: { readonly issuedAtMs: number; readonly sid: string };
  readonly limit: number;
}
