import { agentPath } from "@valet/protocol";
import { AgentError, readAgentError } from "./agent-error.ts";
import { isTokenError } from "./session-tokens/token-error.ts";
import type { SessionTokenManager } from "./session-tokens/types.ts";

/** Sends requests to a project's agent, each with a session token. */
export interface Transport {
  /**
   * Sends, and gives the answer if it is a good one.
   *
   * @param path Below the project's agent path, with its slash at both ends; or from `/sources/`.
   * @throws {@link AgentError}, {@link TokenError}, or the reason of the signal.
   */
  send(path: string, init?: TransportRequest): Promise<Response>;
  /** An address of the server in full. Relative ones stand on the base that is in use. */
  resolve(url: string): string;
}

/** A request of {@link Transport}. */
export interface TransportRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Told when the request leaves. */
  readonly onSend?: () => void;
}

/** What {@link createTransport} needs. */
export interface TransportOptions {
  readonly projectId: string;
  readonly tokens: SessionTokenManager;
  readonly baseUrl?: string;
  readonly fetch?: typeof fetch;
}

/** Creates the transport of one agent. */
export function createTransport({
  projectId,
  tokens,
  baseUrl,
  fetch: send = (input, init) => globalThis.fetch(input, init),
}: TransportOptions): Transport {
  let base = baseUrl === undefined ? undefined : checkBase(baseUrl, "The option `baseUrl`", true);

  /** The first session reply decides, and for good: a later one cannot move the person's token. */
  function chooseBase(apiUrl: string | undefined): string {
    base ??= apiUrl === undefined ? pageOrigin() : checkBase(apiUrl, "`api_url` of the session");
    return base;
  }

  return {
    async send(path, { method = "GET", body, headers = {}, signal, onSend } = {}) {
      const answer = await tokens
        .withToken(
          (token, { apiUrl }) => {
            const at = chooseBase(apiUrl);
            const target = path.startsWith("/sources/") ? path : `${agentPath(projectId)}${path}`;
            onSend?.();
            return send(`${at}${target}`, {
              method,
              // A redirect would carry the token to wherever it points.
              redirect: "error",
              credentials: "omit",
              headers: {
                authorization: `Bearer ${token}`,
                ...(body !== undefined && { "content-type": "application/json" }),
                ...headers,
              },
              ...(body !== undefined && { body: JSON.stringify(body) }),
              ...(signal && { signal }),
            });
          },
          signal ? { signal } : {},
        )
        .catch((thrown: unknown) => {
          // An answer that nobody reads keeps its connection.
          if (isTokenError(thrown)) thrown.response?.body?.cancel().catch(() => undefined);
          if (signal?.aborted) throw signal.reason;
          if (thrown instanceof AgentError || isTokenError(thrown)) throw thrown;
          throw new AgentError("network_error", "The server could not be reached.", {
            retryable: true,
            cause: thrown,
          });
        });
      if (answer.ok) return answer;
      throw await readAgentError(answer);
    },
    resolve: (url) => new URL(url, base ?? pageOrigin()).href,
  };
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * An address that tokens may be sent to, without a slash at its end.
 *
 * @param mayBeHttp Whether the page's own developer chose it, and so may choose plain http.
 * @throws {@link AgentError} `invalid_base_url`.
 */
export function checkBase(text: string, what: string, mayBeHttp = false): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const http = url?.protocol === "http:" && (mayBeHttp || loopback.test(url.hostname));
  const safe = http || url?.protocol === "https:";
  if (!url || !safe || url.username || url.password || url.search || url.hash) {
    throw new AgentError(
      "invalid_base_url",
      `${what} must be an https address without credentials and query.`,
    );
  }
  return url.href.replace(/\/$/, "");
}

function pageOrigin(): string {
  const origin = (globalThis as { location?: { origin?: string } }).location?.origin;
  if (origin !== undefined && origin !== "null") return origin;
  throw new AgentError(
    "invalid_base_url",
    "The address of the Valet server is not known. Set `baseUrl`, or VALET_PUBLIC_URL on the server.",
  );
}
