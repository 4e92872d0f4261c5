import { type Actor, auditLine } from "../audit/audit-context.ts";
import type { NewAudit } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { createInTurn } from "../in-turn.ts";
import { clockErrorMs, createIssueClock, type IssueClock } from "./issue-clock.ts";
import type { CutReason, OpenStreams } from "./open-streams.ts";
import type { SessionPrincipal } from "./principal.ts";

/** Whom a revocation ends: all sessions of an owner, a visitor, a key, or the whole project. */
export type RevocationKind = "owner" | "visitor" | "key" | "project";

/** Who can be kept from getting new sessions. */
export type BlockKind = "owner" | "visitor";

/** What a revocation or a block is about. */
export interface RevocationTarget<Kind extends RevocationKind = RevocationKind> {
  readonly projectId: string;
  readonly kind: Kind;
  /** The owner, the visitor, the key's id; the project's own id for a project. */
  readonly target: string;
}

/** A line of the log of revocations: sessions made at that instant or before it are over. */
export interface RevocationMark extends RevocationTarget {
  readonly issuedBeforeMs: number;
  /** When it was written. */
  readonly atMs: number;
}

/** Where revocations and blocks are kept. Every write is durable when its promise resolves. */
export interface RevocationStore {
  /** Marks that can still end a session. */
  marks(nowMs: number): Promise<readonly RevocationMark[]>;
  blocks(): Promise<readonly RevocationTarget<BlockKind>[]>;
  /** Writes all of it, or nothing. */
  apply(change: RevocationChange): Promise<void>;
}

/** What one request changes. */
export interface RevocationChange {
  readonly atMs: number;
  readonly marks: readonly (RevocationMark & { readonly untilS: number })[];
  readonly block: readonly RevocationTarget<BlockKind>[];
  readonly unblock: readonly RevocationTarget<BlockKind>[];
  readonly reason: string | null;
  readonly audit: readonly NewAudit[];
}

/** What {@link Revocations.revoke} takes. */
export interface RevokeOptions {
  readonly projectId: string;
  readonly targets: readonly { readonly kind: RevocationKind; readonly target: string }[];
  /** Sessions made until then are over. @default now */
  readonly issuedBeforeMs?: number;
  /** `true` keeps owners and visitors from new sessions, too; `false` lets them have some again, and ends none. */
  readonly block?: boolean;
  readonly reason?: string;
  /** For the audit. */
  readonly actor: Actor;
}

/** Ends sessions by whose they are, and keeps people out. */
export interface Revocations {
  /**
   * When it resolves, every session that it is about is refused and its streams are cut.
   *
   * @returns How many streams were cut, for each target in its order.
   * @throws {@link ProblemError} `invalid_request` for an instant to come, or a block of something
   *   that is no person.
   */
  revoke(options: RevokeOptions): Promise<number[]>;
  /** When a session was ended because of whose it is, in milliseconds; undefined if it was not. */
  endedAtMs(session: SessionPrincipal): number | undefined;
  /** Lets go of what memory holds that can end no session any more; says of how much. */
  forgetOver(nowMs: number): number;
  /** Whether somebody may have no new session. */
  isBlocked(projectId: string, who: { owner: string | null; visitorId: string | null }): boolean;
  /** What new sessions take their instant from. */
  readonly issueClock: IssueClock;
  /** Who is blocked in a project. */
  blocked(projectId: string): readonly RevocationTarget<BlockKind>[];
}

/** What {@link createRevocations} needs. */
export interface RevocationsOptions {
  readonly store: RevocationStore;
  readonly streams: OpenStreams;
  readonly now?: () => number;
  /** The longest life of a session, in seconds. @default 3600 */
  readonly maxSessionSeconds?: number;
}

const reason: CutReason = "token_revoked";
/** Clocks of callers may be ahead of ours by as much. */
const clockToleranceMs = 5_000;

/**
 * Opens the revocations of a store. What is in force is mirrored in memory: asking reads nothing.
 * A change is durable before it counts, and counts before anybody is told.
 */
export async function createRevocations({
  store,
  streams,
  now = Date.now,
  maxSessionSeconds = 3600,
}: RevocationsOptions): Promise<Revocations> {
  const marks = new Map<string, RevocationMark>();
  const blocks = new Map<string, RevocationTarget<BlockKind>>();
  const inTurn = createInTurn();
  const issueClock = createIssueClock(now);
  for (const mark of await store.marks(now() - clockErrorMs)) raise(mark);
  for (const block of await store.blocks()) blocks.set(nameOf(block), block);

  /** An older instant never takes the place of a later one: that would bring sessions back. */
  function raise(mark: RevocationMark): void {
    const earlier = marks.get(nameOf(mark));
    if (!earlier || earlier.issuedBeforeMs < mark.issuedBeforeMs) marks.set(nameOf(mark), mark);
    issueClock.goOnFrom(mark.issuedBeforeMs + 1);
  }

  function markedAtMs(
    { projectId, issuedAtMs }: SessionPrincipal,
    kind: RevocationKind,
    target: string | null,
  ): number | undefined {
    const mark = target === null ? undefined : marks.get(nameOf({ projectId, kind, target }));
    return mark && issuedAtMs <= mark.issuedBeforeMs ? mark.atMs : undefined;
  }

  function endedAtMs(session: SessionPrincipal): number | undefined {
    if (marks.size === 0) return undefined;
    return (
      markedAtMs(session, "project", session.projectId) ??
      markedAtMs(session, "key", session.kid) ??
      markedAtMs(session, "owner", session.owner) ??
      markedAtMs(session, "visitor", session.visitorId)
    );
  }

  async function revoke({
    projectId,
    targets,
    issuedBeforeMs,
    block,
    reason: why,
    actor,
  }: RevokeOptions): Promise<number[]> {
    const atMs = now();
    if (issuedBeforeMs !== undefined && issuedBeforeMs > atMs + clockToleranceMs) {
      throw new ProblemError("invalid_request", {
        field: "issued_before",
        detail: "issued_before: Use an instant that has been.",
      });
    }
    const named = targets.map((each) => ({ ...each, projectId }));
    const people = named.filter(isPerson);
    if (block !== undefined && people.length < named.length) {
      throw new ProblemError("invalid_request", {
        field: "block",
        detail: "block: Only owners and visitors can be blocked.",
      });
    }
    const untilS = Math.ceil(atMs / 1000) + maxSessionSeconds;
    const markMs = issueClock.mark();
    const upToMs = Math.min(issuedBeforeMs ?? markMs, markMs);
    const ended = block === false ? [] : named;
    const event = block === undefined ? "revoked" : block ? "blocked" : "unblocked";
    const written = ended.map((each) => ({ ...each, issuedBeforeMs: upToMs, atMs, untilS }));
    await store.apply({
      atMs,
      marks: written,
      block: block ? people : [],
      unblock: block === false ? people : [],
      reason: why ?? null,
      audit: named.map(({ kind, target }) =>
        auditLine(actor, {
          atMs,
          event: block === undefined ? `sessions.${event}` : `${kind}.${event}`,
          target: `${kind}:${target}`,
          projectId,
          detail:
            issuedBeforeMs === undefined && why === undefined
              ? null
              : { issued_before_ms: issuedBeforeMs, reason: why },
        }),
      ),
    });
    for (const mark of written) raise(mark);
    for (const person of people) {
      if (block) blocks.set(nameOf(person), person);
      if (block === false) blocks.delete(nameOf(person));
    }
    return named.map((each) =>
      streams.cut((session) => isOf(session, each) && endedAtMs(session) !== undefined, reason),
    );
  }

  return {
    revoke: (options) => inTurn(options.projectId, () => revoke(options)),
    endedAtMs,
    forgetOver(nowMs) {
      let count = 0;
      for (const [name, { issuedBeforeMs }] of marks) {
        if (issuedBeforeMs + maxSessionSeconds * 1000 + clockErrorMs > nowMs) continue;
        marks.delete(name);
        count += 1;
      }
      return count;
    },
    issueClock,
    isBlocked(projectId, { owner, visitorId }) {
      if (blocks.size === 0) return false;
      const has = (kind: BlockKind, target: string | null): boolean =>
        target !== null && blocks.has(nameOf({ projectId, kind, target }));
      return has("owner", owner) || has("visitor", visitorId);
    },
    blocked: (projectId) => [...blocks.values()].filter((block) => block.projectId === projectId),
  };
}

function isPerson(target: RevocationTarget): target is RevocationTarget<BlockKind> {
  return target.kind === "owner" || target.kind === "visitor";
}

function isOf(session: SessionPrincipal, { projectId, kind, target }: RevocationTarget): boolean {
  if (session.projectId !== projectId) return false;
  if (kind === "project") return true;
  const names = { owner: session.owner, visitor: session.visitorId, key: session.kid };
  return names[kind] === target;
}

/** Project ids and kinds have no line feeds, so names cannot be mistaken for one another. */
function nameOf({ projectId, kind, target }: RevocationTarget): string {
  return `${projectId}\n${kind}\n${target}`;
}
