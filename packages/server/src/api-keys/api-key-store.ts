import type { ApiKeyRow, NewAudit } from "../database/schema.ts";

/** Where API keys are kept. Every write is durable when its promise resolves. */
export interface ApiKeyStore {
  /** Every key of every project, revoked ones included. */
  all(): Promise<ApiKeyRow[]>;
  /** Adds a key and its line in the audit, both or neither. */
  insert(row: ApiKeyRow, audit: NewAudit): Promise<void>;
  /** Ends a key: the row, the revocation and the audit, all or none. Ending it twice is one end. */
  revoke(options: {
    readonly kid: string;
    readonly atMs: number;
    /** The last second at which a session of this key could still be alive. */
    readonly untilS: number;
    readonly audit: NewAudit;
  }): Promise<void>;
  /** Notes when a key was last used. Never turns the time back. */
  touch(kid: string, atMs: number): Promise<void>;
}
