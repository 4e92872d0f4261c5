import type { SessionTokenResult } from "../session-reply.ts";
import type { GetSessionToken, GetSessionTokenContext } from "../session-tokens.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** A session endpoint with switches instead of expectations. */
export interface TokenEndpoint {
  readonly getSessionToken: GetSessionToken;
  readonly calls: readonly GetSessionTokenContext[];
  /** The most calls that were under way at once. */
  readonly maxOverlap: () => number;
  /** Life of its tokens, in seconds. */
  lifeS: number;
  /** How long it takes, in milliseconds. Infinity: it never answers. */
  latencyMs: number;
  /** What it throws instead of answering. */
  failure: unknown;
  /** Answers with this instead of a fresh token. */
  answer: SessionTokenResult | undefined;
  /** Whether replies say `expires_in`, or only `expires_at`. */
  saysExpiresIn: boolean;
  /** What the server's clock is ahead of the client's, in milliseconds. */
  serverAheadMs: number;
}

/** Creates an endpoint that issues `token-1`, `token-2`, ... */
export function createTokenEndpoint(time: VirtualTime): TokenEndpoint {
  const calls: GetSessionTokenContext[] = [];
  let overlap = 0;
  let maxOverlap = 0;
  let issued = 0;
  const endpoint: TokenEndpoint = {
    calls,
    maxOverlap: () => maxOverlap,
    lifeS: 3600,
    latencyMs: 100,
    failure: undefined,
    answer: undefined,
    saysExpiresIn: true,
    serverAheadMs: 0,
    async getSessionToken(context) {
      calls.push(context);
      overlap += 1;
      maxOverlap = Math.max(maxOverlap, overlap);
      // A call that nobody wants any more does not count, even if it still runs.
      let isOver = false;
      const end = (): void => {
        overlap -= isOver ? 0 : 1;
        isOver = true;
      };
      context.signal.addEventListener("abort", end);
      await new Promise<void>((resolve) => {
        const { latencyMs } = endpoint;
        if (latencyMs !== Number.POSITIVE_INFINITY) time.timers.set(resolve, latencyMs);
      });
      end();
      if (endpoint.failure !== undefined) throw endpoint.failure;
      if (endpoint.answer) return endpoint.answer;
      issued += 1;
      const expiresAtMs = time.clock.wall() + endpoint.serverAheadMs + endpoint.lifeS * 1000;
      return {
        session_token: `token-${issued}`,
        expires_at: new Date(expiresAtMs).toISOString(),
        ...(endpoint.saysExpiresIn && { expires_in: endpoint.lifeS }),
      };
    },
  };
  return endpoint;
}
