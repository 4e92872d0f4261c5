import { createHash } from "node:crypto";
import { type Actor, auditLine } from "../audit/audit-context.ts";
import { type RandomBytes, randomBase62 } from "../base62.ts";
import type { NewAudit } from "../database/schema.ts";

/** Where the digests of set-up codes are kept. */
export interface SetupLinkStore {
  insert(link: {
    readonly digest: Buffer;
    readonly createdAtMs: number;
    readonly expiresAtMs: number;
    /** The team that the account will be in. */
    readonly teamId?: string;
    readonly audit?: NewAudit;
  }): Promise<void>;
  /** The team that a code is for. */
  teamOf(digest: Buffer): Promise<string | null>;
  /** Marks a code as used; `false` when it is unknown, used or over. One of two racers gets `true`. */
  use(digest: Buffer, nowMs: number): Promise<boolean>;
  /** Takes a use back, because what it was for failed. */
  release(digest: Buffer): Promise<void>;
}

/** Single-use codes that let a person make an account: only who can read the terminal has one. */
export interface SetupLinks {
  /** A new code, good for an hour and for one account. */
  create(options?: CreateSetupLinkOptions): Promise<string>;
  /**
   * Does `work` with a code. The code is spent only if the work succeeds.
   *
   * @returns `undefined` when the code is not good.
   */
  spend<Result>(
    code: string,
    work: (teamId: string | null) => Promise<Result>,
  ): Promise<Result | undefined>;
}

/** What {@link SetupLinks.create} takes. */
export interface CreateSetupLinkOptions {
  /** The team that the account will be in. @default a team of its own */
  readonly teamId?: string;
  /** For the audit. @default "server" */
  readonly actor?: Actor;
}

const lifeMs = 3_600_000;
const codeLength = 32;

/** What {@link createSetupLinks} needs. */
export interface SetupLinksOptions {
  readonly store: SetupLinkStore;
  readonly now?: () => number;
  readonly random?: RandomBytes;
}

/** Opens the set-up links of a store. */
export function createSetupLinks({ store, now = Date.now, random }: SetupLinksOptions): SetupLinks {
  return {
    async create({ teamId, actor = "server" } = {}) {
      const code = randomBase62(codeLength, random);
      const createdAtMs = now();
      await store.insert({
        digest: digest(code),
        createdAtMs,
        expiresAtMs: createdAtMs + lifeMs,
        ...(teamId !== undefined && { teamId }),
        audit: auditLine(actor, {
          atMs: createdAtMs,
          event: "setup_link.created",
          ...(teamId !== undefined && { teamId }),
        }),
      });
      return code;
    },
    async spend(code, work) {
      const name = digest(code);
      if (!(await store.use(name, now()))) return undefined;
      try {
        return await work(await store.teamOf(name));
      } catch (error) {
        await store.release(name);
        throw error;
      }
    },
  };
}

function digest(code: string): Buffer {
  return createHash("sha256").update(code).digest();
}
