import { type Actor, auditLine } from "../audit/audit-context.ts";
import type { ApiKeyRow, NewAudit } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { createInTurn } from "../in-turn.ts";
import { formatInstant } from "../sessions/sessions.ts";
import type { ApiKeyStore, KeyFields, KeyWrite } from "./api-key-store.ts";
import type { KeyMirror } from "./key-mirror.ts";

/** Which key somebody does something to. */
export interface KeyAct {
  readonly projectId: string;
  readonly kid: string;
  /** Who does it, for the audit. */
  readonly actor: Actor;
  /** How lists call whoever does it. @default the actor */
  readonly actorName?: string;
}

/** What can be said anew about a key. What is left out stays; `null` takes a limit away. */
export interface KeyChanges {
  readonly name?: string;
  readonly description?: string | null;
  readonly expiresAtMs?: number | null;
  /** Addresses and CIDR ranges, checked before. */
  readonly ipAllow?: readonly string[] | null;
}

/** A new key, whose text exists nowhere else. */
export interface MadeKey {
  readonly row: ApiKeyRow;
  readonly secret: string;
}

/** What {@link KeyActs.rotate} can be told. */
export interface RotateOptions {
  /** How long the old key goes on working, 0 to 7 days. @default 86_400_000 */
  readonly overlapMs?: number;
  /** When the new key ends; `null` is never. @default as long after its making as the old one */
  readonly expiresAtMs?: number | null;
  /** Whether a sealed copy of the new key is kept. @default as with the old one */
  readonly keepCopy?: boolean;
}

/**
 * What people do to keys. Each act is durable before it counts, counts before anybody is told, and
 * stands in the audit. A key that was revoked stays revoked.
 */
export interface KeyActs {
  /** @throws {@link ProblemError} `not_found`; `conflict` for a revoked key. */
  update(act: KeyAct, changes: KeyChanges): Promise<ApiKeyRow>;
  /** From then on the key and its sessions are refused. Errors as of {@link update}. */
  disable(act: KeyAct): Promise<ApiKeyRow>;
  /** Takes a {@link disable} back. Errors as of {@link update}. */
  enable(act: KeyAct): Promise<ApiKeyRow>;
  /** Ends a key. When it resolves, the key and every session made with it are refused. */
  revoke(act: KeyAct): Promise<ApiKeyRow>;
  /**
   * Makes a key that may do the same, and lets the old one work for a while longer, but not past
   * its own expiry.
   *
   * @returns Both, the old one as it was used last.
   * @throws {@link ProblemError} `not_found`; `conflict` for a key that was revoked, has expired or
   *   was replaced already; `invalid_request` for an overlap out of bounds.
   */
  rotate(act: KeyAct, options?: RotateOptions): Promise<{ made: MadeKey; replaced: ApiKeyRow }>;
  /** Ends the time that a replaced key goes on working. @throws as {@link update}. */
  endGrace(act: KeyAct): Promise<ApiKeyRow>;
  /**
   * Learns from the store what became of acts whose outcome was never told: a connection that broke
   * may have lost the answer and not the write. Reads nothing while there are none.
   */
  catchUp(): Promise<void>;
}

/** What {@link createKeyActs} needs. */
export interface KeyActsOptions {
  readonly store: ApiKeyStore;
  readonly mirror: KeyMirror;
  /** Makes the row and the text of a key. */
  readonly make: (options: NewKeyRow) => MadeKey;
  readonly now: () => number;
  /** The longest life of a session, in seconds. */
  readonly maxSessionSeconds: number;
}

/** What is fixed about a key before it has an id and a secret. */
export interface NewKeyRow
  extends Pick<
    ApiKeyRow,
    "project_id" | "name" | "description" | "scopes" | "ip_allow" | "created_by"
  > {
  readonly expires_at_ms: number | null;
  readonly keepCopy: boolean;
}

const dayMs = 24 * 3600_000;
const maxOverlapMs = 7 * dayMs;

/** Creates the acts over a store and its mirror. */
export function createKeyActs({
  store,
  mirror,
  make,
  now,
  maxSessionSeconds,
}: KeyActsOptions): KeyActs {
  const inTurnOf = createInTurn();
  let isBehind = false;

  /**
   * One act at a time, of all keys: each sees what the one before it has done, and reading again
   * what is stored never overtakes a write.
   */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return inTurnOf("keys", async () => {
      await readAgain();
      return work();
    });
  }

  /** Writes; if that fails, what is stored is unknown until it was read again. */
  async function write<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      isBehind = true;
      throw error;
    }
  }

  async function readAgain(): Promise<void> {
    if (!isBehind) return;
    const rows = await store.all();
    mirror.replaceAll(rows);
    isBehind = false;
  }

  function find({ projectId, kid }: KeyAct): ApiKeyRow {
    const row = mirror.get(kid)?.row;
    if (!row || row.project_id !== projectId) throw new ProblemError("not_found");
    return row;
  }

  function findLiving(act: KeyAct): ApiKeyRow {
    const row = find(act);
    if (row.revoked_at_ms !== null) throw conflict("The key was revoked. That is final.");
    return row;
  }

  function toWrite(act: KeyAct, event: string, detail?: Record<string, unknown>): KeyWrite {
    const atMs = now();
    return {
      projectId: act.projectId,
      kid: act.kid,
      atMs,
      audit: toAudit(act, event, atMs, detail),
    };
  }

  async function change(what: KeyWrite, set: KeyFields): Promise<ApiKeyRow> {
    const isChanged = await write(() => store.update({ ...what, set }));
    if (!isChanged) throw new ProblemError("conflict");
    return mirror.patch(what.kid, set);
  }

  return {
    async catchUp() {
      if (isBehind) await inTurn(async () => undefined);
    },

    update: (act, changes) =>
      inTurn(async () => {
        const row = findLiving(act);
        const wanted = toFields(changes);
        const names = (Object.keys(wanted) as (keyof typeof wanted)[]).filter(
          (name) => wanted[name] !== row[name],
        );
        if (names.length === 0) return row;
        const pick = (from: KeyFields) =>
          Object.fromEntries(names.map((name) => [name, from[name] ?? null]));
        const detail = { before: pick(row), after: pick(wanted) };
        return change(toWrite(act, "key.updated", detail), wanted);
      }),

    disable: (act) =>
      inTurn(async () => {
        const row = findLiving(act);
        if (row.disabled_at_ms !== null) return row;
        const what = toWrite(act, "key.disabled");
        return change(what, { disabled_at_ms: what.atMs });
      }),

    enable: (act) =>
      inTurn(async () => {
        const row = findLiving(act);
        if (row.disabled_at_ms === null) return row;
        return change(toWrite(act, "key.enabled"), { disabled_at_ms: null });
      }),

    revoke: (act) =>
      inTurn(async () => {
        const row = find(act);
        if (row.revoked_at_ms !== null) return row;
        const what = toWrite(act, "key.revoked");
        const untilS = Math.ceil(what.atMs / 1000) + maxSessionSeconds;
        await write(() => store.revoke({ ...what, untilS }));
        return mirror.patch(act.kid, { revoked_at_ms: what.atMs, sealed_copy: null });
      }),

    rotate: (act, { overlapMs = dayMs, expiresAtMs, keepCopy } = {}) =>
      inTurn(async () => {
        const row = findLiving(act);
        const atMs = now();
        if (!(overlapMs >= 0 && overlapMs <= maxOverlapMs)) {
          throw new ProblemError("invalid_request", {
            field: "overlap_seconds",
            detail: "overlap_seconds: Use 0 to 604800, seven days.",
          });
        }
        if (row.replaced_by !== null) {
          throw conflict(`The key was replaced by ${row.replaced_by} already. Rotate that one.`);
        }
        if (row.expires_at_ms !== null && row.expires_at_ms <= atMs) {
          throw conflict("The key has expired. Create a new one.");
        }
        const made = make({
          project_id: row.project_id,
          name: row.name,
          description: row.description,
          scopes: row.scopes,
          ip_allow: row.ip_allow,
          expires_at_ms: expiresAtMs === undefined ? sameLifeFrom(row, atMs) : expiresAtMs,
          keepCopy: keepCopy ?? row.sealed_copy !== null,
          created_by: act.actorName ?? nameOf(act.actor),
        });
        const graceUntilMs = Math.min(
          atMs + overlapMs,
          row.expires_at_ms ?? Number.POSITIVE_INFINITY,
        );
        const set = {
          replaced_by: made.row.kid,
          grace_until_ms: graceUntilMs,
          ...(overlapMs === 0 && { sealed_copy: null }),
        };
        const what = toWrite(act, "key.rotated", {
          replaced_by: made.row.kid,
          grace_until: formatInstant(graceUntilMs),
        });
        const detail = { name: row.name, replaces: act.kid };
        const nextAct = { ...act, kid: made.row.kid };
        const nextAudit = toAudit(nextAct, "key.created", atMs, detail);
        const isReplaced = await write(() =>
          store.replace({ ...what, set, next: made.row, nextAudit }),
        );
        if (!isReplaced) throw new ProblemError("conflict");
        mirror.add(made.row);
        return { made, replaced: mirror.patch(act.kid, set) };
      }),

    endGrace: (act) =>
      inTurn(async () => {
        const row = findLiving(act);
        if (row.replaced_by === null) throw conflict("The key was not replaced. Rotate it first.");
        const atMs = now();
        if ((row.grace_until_ms ?? 0) <= atMs) return row;
        const what = toWrite(act, "key.grace_ended");
        return change(what, { grace_until_ms: what.atMs, sealed_copy: null });
      }),
  };
}

function conflict(detail: string): ProblemError {
  return new ProblemError("conflict", { detail });
}

/** How an actor is called in lists, unless there is a better name. */
export function nameOf(actor: Actor): string {
  return typeof actor === "string" ? actor : actor.actor;
}

function toAudit(
  { projectId, kid, actor }: KeyAct,
  event: string,
  atMs: number,
  detail?: Record<string, unknown>,
): NewAudit {
  return auditLine(actor, { atMs, event, target: kid, projectId, detail });
}

function toFields({ name, description, expiresAtMs, ipAllow }: KeyChanges): KeyFields {
  return {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(expiresAtMs !== undefined && { expires_at_ms: expiresAtMs }),
    ...(ipAllow !== undefined && { ip_allow: ipAllow && JSON.stringify(ipAllow) }),
  };
}

/** A key for thirty days is followed by a key for thirty days. */
function sameLifeFrom(row: ApiKeyRow, atMs: number): number | null {
  return row.expires_at_ms === null ? null : atMs + (row.expires_at_ms - row.created_at_ms);
}
