import { createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import { type Actor, auditLine } from "../audit/audit-context.ts";
import type { RandomBytes } from "../base62.ts";
import type { Secrets } from "../data-folder/secrets.ts";
import type { ApiKeyRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { createApiKey, digestApiKey, parseApiKey } from "./api-key-format.ts";
import type { ApiKeyStore } from "./api-key-store.ts";
import { createKeyActs, type KeyActs, type MadeKey, type NewKeyRow, nameOf } from "./key-acts.ts";
import { createKeyMirror, type KeyPrincipal, type MirroredKey } from "./key-mirror.ts";
import { type KeyRefusal, refusalOf } from "./key-state.ts";
import { createKeyUsage } from "./key-usage.ts";
import { defaultScopes, type Scope } from "./scopes.ts";
import { openCopy, sealCopy } from "./sealed-copy.ts";

/** The keys of this server. */
export interface ApiKeys extends KeyActs {
  /** Makes a key. `secret` is its text, which cannot be had again unless a copy is kept. */
  create(options: NewKeyOptions): Promise<MadeKey>;
  /** The keys of a project, oldest first, revoked ones included. */
  list(projectId: string): ApiKeyRow[];
  /** @throws {@link ProblemError} `not_found`, for a key of another project too. */
  get(projectId: string, kid: string): ApiKeyRow;
  /** The text of a key of which a copy is kept. @throws {@link ProblemError} `conflict`. */
  reveal(projectId: string, kid: string): string;
  /**
   * Whose key this text is, and notes its use.
   *
   * @param address Where it comes from. Left out, a key with an IP list is refused.
   * @throws {@link ProblemError} `invalid_api_key`; `key_revoked`, `key_disabled`, `key_expired`,
   *   `key_rotated` or `ip_not_allowed`, which only a true holder is told.
   */
  verify(text: string, address?: string): KeyPrincipal;
  /** Whose key this text is, whether or not it may be used. */
  holderOf(text: string): KeyPrincipal | undefined;
  /** Why a key may not be used now. A key that is none counts as revoked. */
  refusal(kid: string): KeyRefusal | undefined;
  /**
   * Whether sessions made with a key are over with it: it was revoked, or is disabled. A key that
   * merely came to its end takes none of them along.
   */
  refusesSessions(kid: string): boolean;
  /** Writes notes of use that wait and are due; all of them when `isLast`. */
  flushUsage(isLast?: boolean): Promise<void>;
}

/** What {@link ApiKeys.create} takes. */
export interface NewKeyOptions {
  readonly projectId: string;
  readonly name: string;
  /** Where it is used. */
  readonly description?: string | null;
  /** Whether a sealed copy is kept that can be shown again. @default false */
  readonly keepCopy?: boolean;
  readonly scopes?: readonly Scope[];
  /** When it ends, in milliseconds since the epoch. @default null, never */
  readonly expiresAtMs?: number | null;
  /** Addresses and CIDR ranges, checked before. @default null, anywhere */
  readonly ipAllow?: readonly string[] | null;
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
  const mirror = createKeyMirror(await store.all());
  const usage = createKeyUsage({ store, mirror, now });
  const acts = createKeyActs({ store, mirror, make, now, maxSessionSeconds });
  const decoy = Buffer.alloc(32);
  const peppers = new Map(
    [...secrets.pepper].map(([epoch, secret]) => [epoch, createSecretKey(secret)]),
  );

  function pepperOf(epoch: string): KeyObject {
    const pepper = peppers.get(epoch);
    if (!pepper) throw new Error(`There is no pepper for epoch ${epoch}.`);
    return pepper;
  }

  function make({ keepCopy, ...fields }: NewKeyRow): MadeKey {
    const { kid, text } = createApiKey(random);
    const row: ApiKeyRow = {
      ...fields,
      kid,
      digest: digestApiKey(text, pepperOf(secrets.currentEpoch)),
      pepper_epoch: secrets.currentEpoch,
      sealed_copy: keepCopy ? sealCopy(text, kid, secrets.keyCopy) : null,
      created_at_ms: now(),
      last_used_at_ms: null,
      revoked_at_ms: null,
      disabled_at_ms: null,
      replaced_by: null,
      grace_until_ms: null,
      grace_calls: 0,
      first_used_at_ms: null,
      networks: "[]",
    };
    return { row, secret: text };
  }

  function get(projectId: string, kid: string): ApiKeyRow {
    const row = mirror.get(kid)?.row;
    if (!row || row.project_id !== projectId) throw new ProblemError("not_found");
    return withWaiting(row);
  }

  /** A row with the calls that are not written into it yet. */
  function withWaiting(row: ApiKeyRow): ApiKeyRow {
    const waiting = usage.graceCalls(row.kid);
    return waiting === 0 ? row : { ...row, grace_calls: row.grace_calls + waiting };
  }

  /** The key of a text, if its secret is right. */
  function prove(text: string): MirroredKey | undefined {
    const kid = parseApiKey(text);
    if (kid === undefined) return undefined;
    const key = mirror.get(kid);
    // An unknown id costs the same work as a wrong secret, so that time tells nothing.
    const digest = digestApiKey(text, pepperOf(key?.row.pepper_epoch ?? secrets.currentEpoch));
    return timingSafeEqual(digest, key?.row.digest ?? decoy) ? key : undefined;
  }

  return {
    ...acts,

    async create({
      projectId,
      name,
      description = null,
      keepCopy = false,
      scopes = defaultScopes,
      expiresAtMs = null,
      ipAllow = null,
      actor,
      createdBy = nameOf(actor),
    }) {
      const made = make({
        project_id: projectId,
        name,
        description,
        scopes: JSON.stringify(scopes),
        ip_allow: ipAllow && JSON.stringify(ipAllow),
        expires_at_ms: expiresAtMs,
        created_by: createdBy,
        keepCopy,
      });
      const { kid, created_at_ms: atMs } = made.row;
      const detail = { name, scopes, keeps_copy: keepCopy };
      await store.insert(
        made.row,
        auditLine(actor, { atMs, event: "key.created", target: kid, projectId, detail }),
      );
      mirror.add(made.row);
      return made;
    },

    list: (projectId) =>
      mirror
        .all()
        .filter(({ row }) => row.project_id === projectId)
        .map(({ row }) => withWaiting(row)),
    get,

    reveal(projectId, kid) {
      const row = get(projectId, kid);
      if (!row.sealed_copy) {
        throw new ProblemError("conflict", { detail: "No copy of this key is kept." });
      }
      return openCopy(row.sealed_copy, kid, secrets.keyCopy);
    },

    verify(text, address) {
      const key = prove(text);
      if (!key) throw new ProblemError("invalid_api_key");
      const refusal = refusalOf(key.row, now());
      if (refusal) throw new ProblemError(refusal);
      if (key.ipAllow && !(address !== undefined && key.ipAllow.has(address))) {
        throw new ProblemError("ip_not_allowed");
      }
      usage.note(key.row, address);
      return key.principal;
    },

    holderOf: (text) => prove(text)?.principal,

    refusal(kid) {
      const row = mirror.get(kid)?.row;
      return row ? refusalOf(row, now()) : "key_revoked";
    },

    refusesSessions(kid) {
      const row = mirror.get(kid)?.row;
      return !row || row.revoked_at_ms !== null || row.disabled_at_ms !== null;
    },

    flushUsage: (isLast) => usage.flush(isLast),
  };
}
