import type { SessionReply, SessionRequest, SessionStatus } from "@valet/protocol";
import type { KeyPrincipal } from "../api-keys/key-mirror.ts";
import { type Actor, auditLine } from "../audit/audit-context.ts";
import { type RandomBytes, randomBase62 } from "../base62.ts";
import type { SessionRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { createLruMap } from "../lru-map.ts";
import { longestSessionSeconds } from "../projects/project-settings.ts";
import type { ProjectStates } from "../projects/project-states.ts";
import { clockErrorMs } from "./issue-clock.ts";
import { createLiveSessions } from "./live-sessions.ts";
import { mintTerms } from "./mint-terms.ts";
import type { CutReason, OpenStreams } from "./open-streams.ts";
import type { SessionPolicy, SessionPrincipal } from "./principal.ts";
import type { Revocations } from "./revocations.ts";
import type { SessionListOptions, SessionStore } from "./session-store.ts";
import { digestToken, nameToken, type SessionTokenFormat } from "./session-token-format.ts";

/** The sessions of this server. */
export interface Sessions {
  /**
   * Makes a session with a key that has proved itself. Durable before it resolves.
   *
   * @throws {@link ProblemError} `owner_blocked`, and those of {@link mintTerms}.
   */
  create(key: KeyPrincipal, request: SessionRequest): Promise<SessionReply>;
  /**
   * Who a token stands for. Reads storage at most once a token; junk and expired tokens never.
   *
   * @throws {@link ProblemError} `invalid_token`, `token_expired` or `token_revoked`.
   */
  verify(token: string): Promise<SessionPrincipal>;
  /**
   * The same for a token that is in memory and good, without waiting: undefined for every other
   * one, of which {@link Sessions.verify} knows what to say.
   */
  verifyKnown(token: string): SessionPrincipal | undefined;
  /** Why a session may have no stream any more; its mere expiry lets an answer finish. */
  endOf(session: SessionPrincipal): CutReason | undefined;
  /** The session's own view of itself, as far as it never changes. */
  describe(session: SessionPrincipal): Omit<SessionStatus, "limits" | "left" | "expires_in">;
  /** Whole seconds until a session ends. */
  secondsLeft(session: SessionPrincipal): number;
  /** @throws {@link ProblemError} `not_found`, for a session of another project too. */
  get(projectId: string, sid: string): Promise<SessionRow>;
  list(options: SessionListOptions): Promise<SessionRow[]>;
  /** What has become of a session that {@link Sessions.get} or {@link Sessions.list} gave. */
  statusOf(row: SessionRow): "active" | "expired" | "revoked";
  countLive(kid: string): Promise<number>;
  /** Lets go of what memory holds about revoked sessions that are over; says of how many. */
  forgetOver(nowMs: number): number;
  /** Notes that a session was used: over the cap of its owner, the one idle for longest ends. */
  touch(session: SessionPrincipal): void;
  /** Ends a session. When it resolves its token is refused and its streams are cut. */
  revoke(projectId: string, sid: string, actor: Actor): Promise<SessionRow>;
}

/** What {@link createSessions} needs. */
export interface SessionsOptions {
  readonly store: SessionStore;
  readonly format: SessionTokenFormat;
  readonly streams: OpenStreams;
  /** Whether a key was revoked or is disabled; its sessions are refused with it. */
  readonly isKeyRevoked: (kid: string) => boolean;
  readonly revocations: Pick<Revocations, "endedAtMs" | "isBlocked" | "issueClock">;
  /** Settings and switches of the projects. */
  readonly states: ProjectStates;
  /** Where browsers reach this server, when the operator has said so. */
  readonly publicUrl?: string;
  readonly now?: () => number;
  readonly random?: RandomBytes;
  /** Verified sessions held in memory. @default 100_000 */
  readonly maxCached?: number;
}

/**
 * Opens the sessions of a store. What is cached never changes (who, which key, until when); what
 * can change (whether it was revoked) is asked on every call, so a revocation cannot be undone by
 * a read that was under way.
 */
export async function createSessions({
  store,
  format,
  streams,
  isKeyRevoked,
  revocations,
  states,
  publicUrl,
  now = Date.now,
  random,
  maxCached = 100_000,
}: SessionsOptions): Promise<Sessions> {
  const known = createLruMap<SessionPrincipal>(maxCached);
  const loading = new Map<string, Promise<SessionPrincipal>>();
  /** Sessions that were ended, and when no clock can make a token of theirs good any more. */
  const revoked = new Map<string, number>();
  for (const sid of await store.revokedSids(now())) remember(sid);
  revocations.issueClock.goOnFrom(await store.latestIssuedMs(now() - clockErrorMs));

  function remember(sid: string): void {
    revoked.set(sid, now() + longestSessionSeconds * 1000 + clockErrorMs);
  }

  /** Lets no token reach storage that this server never made, or that is over. */
  async function loadGood(token: string, name: string): Promise<SessionPrincipal> {
    const reading = format.read(token, now());
    if (reading.kind === "forged") throw new ProblemError("invalid_token");
    if (reading.kind === "expired") throw new ProblemError("token_expired");
    return load(name);
  }

  /** Reads a session, once for all who ask for it at the same time. */
  function load(name: string): Promise<SessionPrincipal> {
    const before = loading.get(name);
    if (before !== undefined) return before;
    const reading = read(name).finally(() => loading.delete(name));
    loading.set(name, reading);
    return reading;
  }

  async function read(name: string): Promise<SessionPrincipal> {
    const row = await store.byDigest(Buffer.from(name, "latin1"));
    if (!row) throw new ProblemError("invalid_token");
    if (row.revoked_at_ms !== null) remember(row.sid);
    const principal = toPrincipal(row);
    known.set(name, principal);
    return principal;
  }

  async function get(projectId: string, sid: string): Promise<SessionRow> {
    const row = await store.bySid(projectId, sid);
    if (!row) throw new ProblemError("not_found");
    return withEnd(row);
  }

  /** A row as it really is: one line may have ended many sessions without touching them. */
  function withEnd(row: SessionRow): SessionRow {
    const endedAtMs = revocations.endedAtMs(toPrincipal(row)) ?? null;
    return { ...row, revoked_at_ms: row.revoked_at_ms ?? endedAtMs };
  }

  function endOf(session: SessionPrincipal): CutReason | undefined {
    const isEnded =
      revoked.has(session.sid) ||
      isKeyRevoked(session.kid) ||
      states.isOff(session) ||
      revocations.endedAtMs(session) !== undefined;
    return isEnded ? "token_revoked" : undefined;
  }

  /** Why the token of a session that exists is refused now; undefined if it is not. */
  function refusalOf(session: SessionPrincipal): "token_expired" | CutReason | undefined {
    return session.expiresAtMs <= now() ? "token_expired" : endOf(session);
  }

  /** Ends a session whose row does not say that it was ended. */
  async function end(row: SessionRow, actor: Actor, event: string): Promise<number> {
    const { sid, project_id: projectId } = row;
    const atMs = now();
    await store.revoke({
      row,
      atMs,
      audit: auditLine(actor, { atMs, event, target: sid, projectId }),
    });
    remember(sid);
    streams.cut({ sid }, "token_revoked");
    return atMs;
  }

  const live = createLiveSessions({
    store,
    capOf: (projectId) => states.settings(projectId).live_sessions_per_owner,
    isEnded: (row) => isKeyRevoked(row.kid) || withEnd(row).revoked_at_ms !== null,
    isBusy: (sid) => streams.count({ sid }) > 0,
    end: async (row) => void (await end(row, "server", "session.limit_evicted")),
    now,
  });
  await live.warmUp();

  return {
    async create(key, request) {
      const owner = request.external_owner_id ?? null;
      const visitorId = request.visitor_id ?? null;
      if (revocations.isBlocked(key.projectId, { owner, visitorId })) {
        throw new ProblemError("owner_blocked");
      }
      const { ttlSeconds: ttlS, policy } = mintTerms(states, key, request);
      const issuedAtMs = revocations.issueClock.next();
      // Rounded up, so that the token lives at least as long as the reply says.
      const expiresAtS = Math.ceil(now() / 1000) + ttlS;
      const token = format.create(expiresAtS);
      const row: SessionRow = {
        digest: digestToken(token),
        sid: `ses_${randomBase62(22, random)}`,
        project_id: key.projectId,
        kid: key.kid,
        integration_id: request.integration_id ?? null,
        owner,
        visitor_id: visitorId,
        visitor_ip: request.visitor_ip ?? null,
        issued_at_ms: issuedAtMs,
        expires_at_s: expiresAtS,
        policy: JSON.stringify(policy),
        metadata: request.metadata ? JSON.stringify(request.metadata) : null,
        revoked_at_ms: null,
      };
      await live.admit(row, () => store.insert(row));
      return {
        session_token: token,
        expires_at: formatInstant(expiresAtS * 1000),
        expires_in: ttlS,
        session_id: row.sid,
        ...(publicUrl === undefined ? {} : { api_url: publicUrl }),
      };
    },

    async verify(token) {
      const name = nameToken(token);
      // What is known has shown a good checksum: whoever has its digest has its text.
      const session = known.get(name) ?? (await loadGood(token, name));
      const refusal = refusalOf(session);
      if (refusal !== undefined) throw new ProblemError(refusal);
      return session;
    },

    verifyKnown(token) {
      const session = known.get(nameToken(token));
      return session && refusalOf(session) === undefined ? session : undefined;
    },

    endOf,

    forgetOver(nowMs) {
      let count = 0;
      for (const [sid, untilMs] of revoked) {
        if (untilMs > nowMs) continue;
        revoked.delete(sid);
        count += 1;
      }
      return count;
    },

    describe: (session) => ({
      session_id: session.sid,
      project_id: session.projectId,
      integration_id: session.integrationId,
      external_owner_id: session.owner,
      expires_at: formatInstant(session.expiresAtMs),
    }),
    secondsLeft: ({ expiresAtMs }) => Math.max(0, Math.floor((expiresAtMs - now()) / 1000)),
    statusOf(row) {
      if (row.revoked_at_ms !== null || isKeyRevoked(row.kid)) return "revoked";
      return row.expires_at_s * 1000 <= now() ? "expired" : "active";
    },

    touch: live.touch,
    get,
    list: async (options) => (await store.list(options)).map(withEnd),
    countLive: (kid) => (isKeyRevoked(kid) ? Promise.resolve(0) : store.countLive(kid, now())),

    async revoke(projectId, sid, actor) {
      const row = await get(projectId, sid);
      if (row.revoked_at_ms !== null) {
        // It may have become durable without our being told: what memory knows of it comes from here.
        remember(sid);
        streams.cut({ sid }, "token_revoked");
        return row;
      }
      return { ...row, revoked_at_ms: await end(row, actor, "session.revoked") };
    },
  };
}

/** An instant as the wire writes it: UTC, microseconds, `Z`. */
export function formatInstant(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, -1)}000Z`;
}

/** A session as its row tells of it. */
export function toPrincipal(row: SessionRow): SessionPrincipal {
  return {
    sid: row.sid,
    projectId: row.project_id,
    kid: row.kid,
    integrationId: row.integration_id,
    owner: row.owner,
    visitorId: row.visitor_id,
    visitorIp: row.visitor_ip,
    issuedAtMs: row.issued_at_ms,
    expiresAtMs: row.expires_at_s * 1000,
    policy: JSON.parse(row.policy) as SessionPolicy,
  };
}
