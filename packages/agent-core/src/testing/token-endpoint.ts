import type { SessionTokenResult } from "../session-tokens/session-reply.ts";
import type { GetSessionToken, GetSessionTokenContext } from "../session-tokens/types.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What one call of the endpoint does that differs from the others. */
export interface EndpointTurn {
  readonly latencyMs?: number;
  readonly failure?: unknown;
  readonly answer?: unknown;
}

/** A session endpoint, and the API that takes its tokens, with switches instead of expectations. */
export interface TokenEndpoint {
  readonly getSessionToken: GetSessionToken;
  readonly calls: readonly GetSessionTokenContext[];
  /** The most calls that were under way and wanted at once. */
  readonly maxOverlap: () => number;
  /** What the next calls do, one after the other, before the switches below count again. */
  turns: EndpointTurn[];
  /** Life of its tokens, in seconds. */
  lifeS: number;
  /** How long it takes, in milliseconds. Infinity: it never answers. */
  latencyMs: number;
  /** What it throws instead of answering, unless undefined. */
  failure: unknown;
  /** Answers with this instead of a fresh token. */
  answer: unknown;
  /** Whether replies say `expires_in`, or only `expires_at`. */
  saysExpiresIn: boolean;
  /** What the server's clock is ahead of the client's at the start, in milliseconds. */
  serverAheadMs: number;
  /** Tokens that the API refuses although they have not ended. */
  readonly revoked: Set<string>;
  /** Every token that the API was sent, in order. */
  readonly sends: string[];
  /** The API: 200 for a token that is good in truth, whatever the client's clock says, else 401. */
  api(token: string): Response;
}

/** A turn that rejects with an HTTP status, as clients of `sessionEndpoint` see it. */
export function withStatus(status: number, retryAfterMs?: number): Error {
  return Object.assign(new Error("refused"), {
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Creates an endpoint that issues `token-1`, `token-2`, ... */
export function createTokenEndpoint(time: VirtualTime): TokenEndpoint {
  const calls: GetSessionTokenContext[] = [];
  const endsAtMs = new Map<string, number>();
  const serverStartMs = time.clock.wall() - time.clock.mono();
  let overlap = 0;
  let maxOverlap = 0;
  let issued = 0;
  const endpoint: TokenEndpoint = {
    calls,
    maxOverlap: () => maxOverlap,
    turns: [],
    lifeS: 3600,
    latencyMs: 100,
    failure: undefined,
    answer: undefined,
    saysExpiresIn: true,
    serverAheadMs: 0,
    revoked: new Set(),
    sends: [],
    api(token) {
      endpoint.sends.push(token);
      const isGood =
        time.clock.mono() < (endsAtMs.get(token) ?? Number.POSITIVE_INFINITY) &&
        !endpoint.revoked.has(token);
      return new Response(null, { status: isGood ? 200 : 401 });
    },
    async getSessionToken(context) {
      calls.push(context);
      const { latencyMs, failure, answer } = { ...endpoint, ...endpoint.turns.shift() };
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
        if (latencyMs !== Number.POSITIVE_INFINITY) time.timers.set(resolve, latencyMs);
      });
      end();
      if (failure !== undefined) throw failure;
      if (answer !== undefined) return answer as SessionTokenResult;
      issued += 1;
      const token = `token-${issued}`;
      endsAtMs.set(token, time.clock.mono() + endpoint.lifeS * 1000);
      const serverMs = serverStartMs + time.clock.mono() + endpoint.serverAheadMs;
      return {
        session_token: token,
        expires_at: new Date(serverMs + endpoint.lifeS * 1000).toISOString(),
        ...(endpoint.saysExpiresIn && { expires_in: endpoint.lifeS }),
      };
    },
  };
  return endpoint;
}
