import type { TokenLease } from "../session-tokens/lease.ts";
import { createSessionTokenManager } from "../session-tokens/session-token-manager.ts";
import type { TokenError } from "../session-tokens/token-error.ts";
import type {
  GetTokenOptions,
  SessionTokenManager,
  SessionTokenManagerOptions,
  TokenEvent,
  WithTokenOptions,
} from "../session-tokens/types.ts";
import { createTokenEndpoint, type TokenEndpoint } from "./token-endpoint.ts";
import { createVirtualTime, type VirtualTime } from "./virtual-time.ts";

/** A promise that a test looks at without waiting for it. */
export interface Watched {
  /** A token, a status, an error's code or message; `pending` until then. */
  outcome: string;
  lease?: TokenLease;
  error?: TokenError;
  /** When it settled, in milliseconds of virtual time. */
  atMs?: number;
}

/** A manager with an endpoint in virtual time, and short ways to use both. */
export interface OpenTokens {
  readonly time: VirtualTime;
  readonly endpoint: TokenEndpoint;
  readonly manager: SessionTokenManager;
  readonly events: TokenEvent[];
  /** The events of some types, in order. */
  told(...types: TokenEvent["type"][]): TokenEvent[];
  get(options?: GetTokenOptions): Watched;
  /** Sends one request to the endpoint's API. */
  send(options?: WithTokenOptions & { readonly latencyMs?: number }): Watched;
  /** The page is shown again, or online. */
  wake(): void;
  /** How many listen for that. */
  listening(): number;
}

/** Opens a manager. */
export function openTokens(options: SessionTokenManagerOptions = {}): OpenTokens {
  const time = createVirtualTime();
  const endpoint = createTokenEndpoint(time);
  const events: TokenEvent[] = [];
  const wakers = new Set<() => void>();
  const manager = createSessionTokenManager(endpoint.getSessionToken, {
    clock: time.clock,
    timers: time.timers,
    random: () => 0.5,
    wakeUps(wake) {
      wakers.add(wake);
      return () => void wakers.delete(wake);
    },
    ...options,
  });
  manager.subscribe((event) => events.push(event));

  function watch(promise: Promise<TokenLease | Response>): Watched {
    const watched: Watched = { outcome: "pending" };
    promise.then(
      (got) => {
        watched.atMs = time.clock.mono();
        watched.outcome = "value" in got ? got.value : String(got.status);
        if ("value" in got) watched.lease = got;
      },
      (error: TokenError) => {
        watched.atMs = time.clock.mono();
        watched.error = error;
        watched.outcome = error.code ?? error.message;
      },
    );
    return watched;
  }

  return {
    time,
    endpoint,
    manager,
    events,
    told: (...types) => events.filter(({ type }) => types.includes(type)),
    get: (wanted) => watch(manager.getToken(wanted)),
    send({ latencyMs = 0, ...wanted } = {}) {
      return watch(
        manager.withToken(async (token) => {
          if (latencyMs > 0) await new Promise<void>((go) => time.timers.set(go, latencyMs));
          return endpoint.api(token);
        }, wanted),
      );
    },
    wake: () => {
      for (const waker of [...wakers]) waker();
    },
    listening: () => wakers.size,
  };
}

/** What became of several. */
export function outcomes(watched: readonly Watched[]): string[] {
  return watched.map(({ outcome }) => outcome);
}
