import type { ApiKeyRow, NewAudit } from "../database/schema.ts";

/**
 * Where API keys are kept. Every write is durable when its promise resolves, and whatever changes
 * what a key may do is also noted for other servers, in the same transaction.
 */
export interface ApiKeyStore {
  /** Every key of every project, revoked ones included, oldest first. */
  all(): Promise<ApiKeyRow[]>;
  /** Adds a key and its line in the audit, both or neither. */
  insert(row: ApiKeyRow, audit: NewAudit): Promise<void>;
  /** Ends a key: the row, the revocation and the audit, all or none. Ending it twice is one end. */
  revoke(
    options: KeyWrite & {
      /** The last second at which a session of this key could still be alive. */
      readonly untilS: number;
    },
  ): Promise<void>;
  /** Changes a key that was not revoked. @returns Whether there was one. */
  update(options: KeyWrite & { readonly set: KeyFields }): Promise<boolean>;
  /**
   * Adds a key in the place of another, with two lines in the audit, all or nothing.
   *
   * @returns Whether the other was there to be replaced: neither revoked nor replaced before.
   */
  replace(
    options: KeyWrite & {
      readonly set: KeyFields & { readonly replaced_by: string };
      readonly next: ApiKeyRow;
      readonly nextAudit: NewAudit;
    },
  ): Promise<boolean>;
  /** Notes how a key was used. Never turns the time of its last use back. */
  use(options: KeyUse): Promise<void>;
}

/** Which key a write is about, and what the audit says of it. */
export interface KeyWrite {
  readonly projectId: string;
  readonly kid: string;
  readonly atMs: number;
  readonly audit: NewAudit;
}

/** What can change about a key after it was made. */
export type KeyFields = Partial<
  Pick<
    ApiKeyRow,
    | "name"
    | "description"
    | "expires_at_ms"
    | "ip_allow"
    | "disabled_at_ms"
    | "replaced_by"
    | "grace_until_ms"
    | "sealed_copy"
  >
>;

/** How a key was used since the last note of it. */
export interface KeyUse {
  readonly projectId: string;
  readonly kid: string;
  readonly lastUsedAtMs: number;
  readonly firstUsedAtMs: number;
  /** JSON of the networks, as the row has it. */
  readonly networks: string;
  /** Calls since then, after the key was replaced. */
  readonly graceCalls: number;
  readonly audit: readonly NewAudit[];
}
