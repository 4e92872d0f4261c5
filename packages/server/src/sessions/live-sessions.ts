import type { SessionRow } from "../database/schema.ts";
import { createInTurn } from "../in-turn.ts";
import { createLruMap } from "../lru-map.ts";
import { createOwnerSketch } from "./owner-sketch.ts";
import type { SessionPrincipal } from "./principal.ts";
import type { SessionStore } from "./session-store.ts";

/** Keeps each owner's live sessions within a cap: over it, the one that was idle for longest ends. */
export interface LiveSessions {
  /**
   * Writes a new session and ends those of its owner that are too many. When it resolves, the owner
   * has no more than the cap, however many sessions are being made at the same time. Far below the
   * cap it asks the store nothing.
   */
  admit(row: SessionRow, insert: () => Promise<void>): Promise<void>;
  /** Notes that a session was used now. */
  touch(session: Pick<SessionPrincipal, "sid" | "owner">): void;
  /**
   * Counts the sessions that were there before. The first of them are counted when it resolves;
   * until the rest are, every new session of an owner costs a read.
   */
  warmUp(): Promise<void>;
}

/** What {@link createLiveSessions} needs. */
export interface LiveSessionsOptions {
  readonly store: Pick<SessionStore, "liveOfOwner" | "liveOwners">;
  readonly capOf: (projectId: string) => number;
  /** Whether a session whose row says nothing of it was ended: by its owner, key or project. */
  readonly isEnded: (row: SessionRow) => boolean;
  /** Whether an answer of a session is being written. */
  readonly isBusy: (sid: string) => boolean;
  /** Ends a session because there are too many; durable when it resolves. */
  readonly end: (row: SessionRow) => Promise<void>;
  readonly now?: () => number;
  /** Sessions counted in one read. @default 2_000 */
  readonly pageSize?: number;
}

/** Uses remembered; of a session that is not, the time it was made stands for its last use. */
const usesRemembered = 100_000;
/** Pages counted before the server begins to serve. */
const pagesAtOnce = 5;

/** Creates the cap of one server. */
export function createLiveSessions({
  store,
  capOf,
  isEnded,
  isBusy,
  end,
  now = Date.now,
  pageSize = 2_000,
}: LiveSessionsOptions): LiveSessions {
  const sketch = createOwnerSketch();
  const lastUsed = createLruMap<number>(usesRemembered);
  const inTurn = createInTurn();
  /** Sessions being written, by owner: what is read meanwhile may not have them yet. */
  const beingWritten = new Map<string, Set<Promise<void>>>();
  let isWarm = false;

  async function endSurplus(newest: SessionRow, owner: string): Promise<void> {
    const { project_id: projectId } = newest;
    const rows = await store.liveOfOwner(projectId, owner, now());
    const live = rows.filter((row) => !isEnded(row));
    const surplus = live.length - capOf(projectId);
    if (surplus <= 0) return;
    const idle = live
      .filter(({ sid }) => sid !== newest.sid)
      .map((row) => ({ row, usedAtMs: usedAtMs(row) }))
      .sort((one, other) => one.usedAtMs - other.usedAtMs);
    for (const { row } of idle.slice(0, surplus)) await end(row);
  }

  function usedAtMs({ sid, issued_at_ms: issuedAtMs }: SessionRow): number {
    if (isBusy(sid)) return Number.POSITIVE_INFINITY;
    return Math.max(issuedAtMs, lastUsed.get(sid) ?? 0);
  }

  async function write(name: string, insert: () => Promise<void>): Promise<void> {
    const others = beingWritten.get(name) ?? new Set();
    beingWritten.set(name, others);
    const mine = insert();
    others.add(mine);
    try {
      await mine;
    } finally {
      others.delete(mine);
      if (others.size === 0) beingWritten.delete(name);
    }
  }

  /** @returns The place after the page; undefined when it was the last. */
  async function countPage(after: Buffer | undefined): Promise<Buffer | undefined> {
    const page = await store.liveOwners({ nowMs: now(), limit: pageSize, ...(after && { after }) });
    for (const row of page) sketch.add(nameOf(row.project_id, row.owner), row.expires_at_s);
    return page.length < pageSize ? undefined : page.at(-1)?.digest;
  }

  async function countRest(from: Buffer): Promise<void> {
    for (let after: Buffer | undefined = from; after; after = await countPage(after)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    isWarm = true;
  }

  return {
    async admit(row, insert) {
      const { owner } = row;
      if (owner === null) return insert();
      const name = nameOf(row.project_id, owner);
      sketch.add(name, row.expires_at_s);
      const nowS = Math.floor(now() / 1000);
      const isFarBelow = isWarm && sketch.atMost(name, nowS) <= capOf(row.project_id);
      await write(name, insert);
      if (isFarBelow) return;
      // Those that were admitted without a look are in the bound of this one: they must be seen.
      await Promise.allSettled(beingWritten.get(name) ?? []);
      await inTurn(name, () => endSurplus(row, owner));
    },

    touch({ sid, owner }) {
      if (owner !== null) lastUsed.set(sid, now());
    },

    async warmUp() {
      let after = await countPage(undefined);
      for (let page = 1; page < pagesAtOnce && after; page += 1) after = await countPage(after);
      if (!after) {
        isWarm = true;
        return;
      }
      // Whatever stops it, a database that was closed for one, only leaves the reads in place.
      countRest(after).catch(() => undefined);
    },
  };
}

/** Project ids have no line feeds. */
function nameOf(projectId: string, owner: string): string {
  return `${projectId}\n${owner}`;
}
