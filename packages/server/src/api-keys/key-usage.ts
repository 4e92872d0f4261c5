import { auditLine } from "../audit/audit-context.ts";
import type { ApiKeyRow, NewAudit } from "../database/schema.ts";
import { networkOf } from "../http/ip-address.ts";
import type { ApiKeyStore } from "./api-key-store.ts";
import type { KeyMirror } from "./key-mirror.ts";

/**
 * Notes when, how often after its replacement, and from which networks keys are used. It stops no
 * request and fails none, and writes at most once a minute for each key.
 */
export interface KeyUsage {
  /** A key was used, from an address if that is known. */
  note(row: ApiKeyRow, address: string | undefined): void;
  /** Calls of a replaced key that are not in its row yet. */
  graceCalls(kid: string): number;
  /**
   * Writes what waits and is due: calls of replaced keys and lines of the audit.
   *
   * @param isLast Whether everything is due, because the server ends. @default false
   */
  flush(isLast?: boolean): Promise<void>;
}

/** What {@link createKeyUsage} needs. */
export interface KeyUsageOptions {
  readonly store: Pick<ApiKeyStore, "use">;
  readonly mirror: KeyMirror;
  readonly now: () => number;
}

/** How one key is used, as far as it is not written yet. */
interface Use {
  readonly kid: string;
  readonly projectId: string;
  writtenAtMs: number;
  lastUsedAtMs: number;
  firstUsedAtMs: number | undefined;
  lastAddress: string | undefined;
  /** The networks it was used from, oldest first. */
  networks: readonly string[];
  graceCalls: number;
  audit: NewAudit[];
  writing: { readonly graceCalls: number; readonly done: Promise<void> } | undefined;
}

const writeEveryMs = 60_000;
const maxNetworks = 20;

/** Creates the notes of one server. What is not written when it is killed, a minute's worth, is lost. */
export function createKeyUsage({ store, mirror, now }: KeyUsageOptions): KeyUsage {
  const uses = new Map<string, Use>();

  function useOf(row: ApiKeyRow): Use {
    const known = uses.get(row.kid);
    if (known) return known;
    const use: Use = {
      kid: row.kid,
      projectId: row.project_id,
      writtenAtMs: row.last_used_at_ms ?? Number.NEGATIVE_INFINITY,
      lastUsedAtMs: row.last_used_at_ms ?? 0,
      firstUsedAtMs: row.first_used_at_ms ?? row.last_used_at_ms ?? undefined,
      lastAddress: undefined,
      networks: JSON.parse(row.networks) as string[],
      graceCalls: 0,
      audit: [],
      writing: undefined,
    };
    uses.set(row.kid, use);
    return use;
  }

  function tell(use: Use, event: string, network: string | undefined): void {
    // Somebody who changes networks faster than that is told of often enough.
    if (use.audit.length >= maxNetworks) return;
    const actor = `key:${use.kid}`;
    use.audit.push(
      auditLine(network === undefined ? actor : { actor, address: network }, {
        atMs: use.lastUsedAtMs,
        event,
        target: use.kid,
        projectId: use.projectId,
      }),
    );
  }

  function noteNetwork(use: Use, address: string | undefined): string | undefined {
    if (address === undefined || address === use.lastAddress) return undefined;
    use.lastAddress = address;
    const network = networkOf(address);
    if (network === "unknown" || use.networks.includes(network)) return network;
    // The first network of all is no news: the first use tells of it.
    if (use.networks.length > 0) tell(use, "key.used_from_new_network", network);
    use.networks = [...use.networks, network].slice(-maxNetworks);
    return network;
  }

  function write(use: Use): Promise<void> {
    const { graceCalls, audit } = use;
    use.writtenAtMs = now();
    use.graceCalls = 0;
    use.audit = [];
    const fields = {
      last_used_at_ms: use.lastUsedAtMs,
      first_used_at_ms: use.firstUsedAtMs ?? use.lastUsedAtMs,
      networks: JSON.stringify(use.networks),
    };
    mirror.patch(use.kid, fields);
    const done = store
      .use({
        projectId: use.projectId,
        kid: use.kid,
        lastUsedAtMs: fields.last_used_at_ms,
        firstUsedAtMs: fields.first_used_at_ms,
        networks: fields.networks,
        graceCalls,
        audit,
      })
      .then(
        () => {
          use.writing = undefined;
          const written = mirror.get(use.kid)?.row.grace_calls ?? 0;
          mirror.patch(use.kid, { grace_calls: written + graceCalls });
        },
        () => {
          use.writing = undefined;
          // It will be tried again in a minute; the request that was noted has long been answered.
          use.graceCalls += graceCalls;
          use.audit = [...audit, ...use.audit].slice(0, maxNetworks);
        },
      );
    use.writing = { graceCalls, done };
    return done;
  }

  return {
    note(row, address) {
      const use = useOf(row);
      use.lastUsedAtMs = now();
      const network = noteNetwork(use, address);
      if (use.firstUsedAtMs === undefined) {
        use.firstUsedAtMs = use.lastUsedAtMs;
        tell(use, "key.used_first_time", network);
      }
      if (row.replaced_by !== null) use.graceCalls += 1;
      const isDue = use.lastUsedAtMs - use.writtenAtMs >= writeEveryMs;
      if (isDue && !use.writing) void write(use);
    },

    graceCalls(kid) {
      const use = uses.get(kid);
      return use ? use.graceCalls + (use.writing?.graceCalls ?? 0) : 0;
    },

    async flush(isLast = false) {
      const dueBeforeMs = isLast ? Number.POSITIVE_INFINITY : now() - writeEveryMs;
      for (const use of uses.values()) {
        await use.writing?.done;
        const waits = use.graceCalls > 0 || use.audit.length > 0;
        if (waits && use.writtenAtMs <= dueBeforeMs) await write(use);
      }
    },
  };
}
