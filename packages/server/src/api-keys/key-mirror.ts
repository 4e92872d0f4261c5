import type { ApiKeyRow } from "../database/schema.ts";
import { type IpRanges, parseIpRanges } from "../http/ip-ranges.ts";
import type { Scope } from "./scopes.ts";

/** A key that has proved itself. */
export interface KeyPrincipal {
  readonly kid: string;
  readonly projectId: string;
  readonly scopes: readonly Scope[];
}

/** A key in memory, with what its row says read once. */
export interface MirroredKey {
  readonly row: ApiKeyRow;
  readonly principal: KeyPrincipal;
  /** Where it may be used from; `undefined` means anywhere. */
  readonly ipAllow: IpRanges | undefined;
}

/** All keys in memory, so that checking one reads nothing. */
export interface KeyMirror {
  get(kid: string): MirroredKey | undefined;
  /** Oldest first. */
  all(): MirroredKey[];
  add(row: ApiKeyRow): void;
  /** Takes what is stored in the place of what was known. */
  replaceAll(rows: readonly ApiKeyRow[]): void;
  /** Changes fields of a key that is there, and leaves the others as they are by then. */
  patch(kid: string, fields: Partial<ApiKeyRow>): ApiKeyRow;
}

/** Creates the mirror of these keys. */
export function createKeyMirror(rows: readonly ApiKeyRow[]): KeyMirror {
  const keys = new Map(rows.map((row) => [row.kid, read(row)]));
  return {
    replaceAll(stored) {
      for (const row of stored) keys.set(row.kid, read(row));
    },
    get: (kid) => keys.get(kid),
    all: () => [...keys.values()],
    add: (row) => void keys.set(row.kid, read(row)),
    patch(kid, fields) {
      const key = keys.get(kid);
      if (!key) throw new Error(`There is no key ${kid}.`);
      const row = { ...key.row, ...fields };
      const ipAllow = row.ip_allow === key.row.ip_allow ? key.ipAllow : readRanges(row);
      // Scopes never change, so whoever holds the principal holds the right one.
      keys.set(kid, { row, principal: key.principal, ipAllow });
      return row;
    },
  };
}

function read(row: ApiKeyRow): MirroredKey {
  const principal: KeyPrincipal = Object.freeze({
    kid: row.kid,
    projectId: row.project_id,
    scopes: Object.freeze(JSON.parse(row.scopes) as Scope[]),
  });
  return { row, principal, ipAllow: readRanges(row) };
}

function readRanges({ ip_allow }: ApiKeyRow): IpRanges | undefined {
  return ip_allow === null ? undefined : parseIpRanges(JSON.parse(ip_allow) as string[]);
}
