import { timingSafeEqual } from "node:crypto";
import { type Actor, auditLine } from "../audit/audit-context.ts";
import type { RandomBytes } from "../base62.ts";
import type { Secrets } from "../data-folder/secrets.ts";
import type { ApiKeyRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { createApiKey, digestApiKey, parseApiKey } from "./api-key-format.ts";
import type { ApiKeyStore } from "./api-key-store.ts";
import { openCopy, sealCopy } from "./sealed-copy.ts";

/** What a key may do. */
export const scopes = [
  "sessions:create",
  "sessions:visitors",
  "sessions:read",
  "sessions:revoke",
  "introspect",
] as const;
export type Scope = (typeof scopes)[number];

/** What a new key may do unless its maker says otherwise. */
export const defaultScopes: readonly Scope[] = [
  "sessions:create",
  "sessions:visitors",
  "sessions:read",
  "sessions:revoke",
];

/** A key that has proved itself. */
export interface KeyPrincipal {
  readonly kid: string;
  readonly projectId: string;
  readonly scopes: readonly Scope[];
}

/** The keys of this server. */
export interface ApiKeys {
  /** Makes a key. `secret` is its text, which cannot be had again unless a copy is kept. */
  create(options: NewKeyOptions): Promise<{ row: ApiKeyRow; secret: string }>;
  /** The keys of a project, oldest first, revoked ones included. */
  list(projectId: string): ApiKeyRow[];
  /** @throws {@link ProblemError} `not_found`, for a key of another project too. */
  get(projectId: string, kid: string): ApiKeyRow;
  /** The text of a key of which a copy is kept. @throws {@link ProblemError} `conflict`. */
  reveal(projectId: string, kid: string): string;
  /** Ends a key. When it resolves, the key and every session made with it are refused. */
  revoke(projectId: string, kid: string, actor: Actor): Promise<ApiKeyRow>;
  /**
   * Whose key this text is.
   *
   * @throws {@link ProblemError} `invalid_api_key`; `key_revoked` or `key_expired`, which only a
   *   true holder is told.
   */
  verify(text: string): KeyPrincipal;
  /** The project that has a key of this id; null when there is none. For the audit alone. */
  projectOf(kid: string): string | null;
  /** Whether a key may no longer be used; so may no session made with it. */
  isRevoked(kid: string): boolean;
}

/** What {@link ApiKeys.create} takes. */
export interface NewKeyOptions {
  readonly projectId: string;
  readonly name: string;
  /** Whether a sealed copy is kept that can be shown again. @default false */
  readonly keepCopy?: boolean;
  readonly scopes?: readonly Scope[];
  /** Who makes it, for the audit. */
  readonly actor: Actor;
  /** How the list calls whoever makes it. @default the actor */
  readonly createdBy?: string;
}

/** What {@link createApiKeys} needs. */
export interface ApiKeysOptions {
  readonly store: ApiKeyStore;
  readonly secrets: Pick<Secrets, "currentEpoch" | "pepper" | "keyCopy">;
  readonly now?: () => number;
  readonly random?: RandomBytes;
  /** The longest life of a session, in seconds. @default 3600 */
  readonly maxSessionSeconds?: number;
}

/** One write a minute is enough to tell whether a key is still in use. */
const touchEveryMs = 60_000;

/**
 * Opens the keys of a store. All of them are mirrored in memory, so that checking one reads
 * nothing; every change goes to the store first and into the mirror only when it is durable.
 */
export async function createApiKeys({
  store,
  secrets,
  now = Date.now,
  random,
  maxSessionSeconds = 3600,
}: ApiKeysOptions): Promise<ApiKeys> {
  const rows = new Map((await store.all()).map((row) => [row.kid, row]));
  const decoy = Buffer.alloc(32);

  function pepperOf(epoch: string): Buffer {
    const pepper = secrets.pepper.get(epoch);
    if (!pepper) throw new Error(`There is no pepper for epoch ${epoch}.`);
    return pepper;
  }

  function get(projectId: string, kid: string): ApiKeyRow {
    const row = rows.get(kid);
    if (!row || row.project_id !== projectId) throw new ProblemError("not_found");
    return row;
  }

  function touch(row: ApiKeyRow): void {
    const atMs = now();
    if (row.last_used_at_ms !== null && atMs - row.last_used_at_ms < touchEveryMs) return;
    rows.set(row.kid, { ...row, last_used_at_ms: atMs });
    // The last use is a hint: losing one to a crash is fine, failing a request for it is not.
    store.touch(row.kid, atMs).catch(() => undefined);
  }

  return {
    async create({
      projectId,
      name,
      keepCopy = false,
      scopes: may = defaultScopes,
      actor,
      createdBy,
    }) {
      const { kid, text } = createApiKey(random);
      const atMs = now();
      const row: ApiKeyRow = {
        kid,
        project_id: projectId,
        name,
        digest: digestApiKey(text, pepperOf(secrets.currentEpoch)),
        pepper_epoch: secrets.currentEpoch,
        scopes: JSON.stringify(may),
        sealed_copy: keepCopy ? sealCopy(text, kid, secrets.keyCopy) : null,
        created_at_ms: atMs,
        created_by: createdBy ?? (typeof actor === "string" ? actor : actor.actor),
        expires_at_ms: null,
        last_used_at_ms: null,
        revoked_at_ms: null,
        ip_allow: null,
        disabled_at_ms: null,
        replaced_by: null,
        grace_until_ms: null,
        grace_calls: 0,
        first_used_at_ms: null,
        networks: "[]",
      };
      const detail = { name, scopes: may, keeps_copy: keepCopy };
      await store.insert(
        row,
        auditLine(actor, { atMs, event: "key.created", target: kid, projectId, detail }),
      );
      rows.set(kid, row);
      return { row, secret: text };
    },

    list: (projectId) => [...rows.values()].filter((row) => row.project_id === projectId),
    get,

    reveal(projectId, kid) {
      const row = get(projectId, kid);
      if (!row.sealed_copy) {
        throw new ProblemError("conflict", { detail: "No copy of this key is kept." });
      }
      return openCopy(row.sealed_copy, kid, secrets.keyCopy);
    },

    async revoke(projectId, kid, actor) {
      const row = get(projectId, kid);
      if (row.revoked_at_ms !== null) return row;
      const atMs = now();
      await store.revoke({
        kid,
        atMs,
        untilS: Math.ceil(atMs / 1000) + maxSessionSeconds,
        audit: auditLine(actor, { atMs, event: "key.revoked", target: kid, projectId }),
      });
      // Read again: another call may have changed the row while this one was being written.
      const revoked = { ...get(projectId, kid), revoked_at_ms: atMs, sealed_copy: null };
      rows.set(kid, revoked);
      return revoked;
    },

    verify(text) {
      const kid = parseApiKey(text);
      const row = kid === undefined ? undefined : rows.get(kid);
      if (kid === undefined) throw new ProblemError("invalid_api_key");
      // An unknown id costs the same work as a wrong secret, so that time tells nothing.
      const digest = digestApiKey(text, pepperOf(row?.pepper_epoch ?? secrets.currentEpoch));
      if (!timingSafeEqual(digest, row?.digest ?? decoy) || !row) {
        throw new ProblemError("invalid_api_key");
      }
      if (row.revoked_at_ms !== null) throw new ProblemError("key_revoked");
      if (row.expires_at_ms !== null && row.expires_at_ms <= now()) {
        throw new ProblemError("key_expired");
      }
      touch(row);
      return { kid, projectId: row.project_id, scopes: JSON.parse(row.scopes) as Scope[] };
    },

    projectOf: (kid) => rows.get(kid)?.project_id ?? null,

    isRevoked(kid) {
      const row = rows.get(kid);
      return !row || row.revoked_at_ms !== null;
    },
  };
}
