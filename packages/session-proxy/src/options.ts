/** What {@link SessionHandlerOptions.authorize} returns for who may not chat. */
export type Refusal = false | null | undefined | { readonly status: 401 | 403 };

/** Something for your server's log. Never holds the key or a token. */
export interface SessionHandlerEvent {
  readonly code: string;
  /** Status of the Valet server's answer, when there was one. */
  readonly upstreamStatus?: number;
  /** Code of the Valet server's answer, when it had one. */
  readonly upstreamCode?: string;
  readonly cause?: unknown;
}

/** Options of {@link createSessionHandler}. */
export interface SessionHandlerOptions<Identity = unknown> {
  /** The API key of the project. Stays on this server. */
  readonly apiKey: string;
  readonly projectId: string;
  /** Address of the Valet server, such as `https://valet.example.com`. */
  readonly baseUrl: string;
  /**
   * Who may chat. Return who it is, or `true`; return a falsy value for 401, or `{ status: 403 }`.
   * Write `"public"` to serve people who are not signed in: each gets a signed cookie, so that
   * limits can tell them apart.
   */
  readonly authorize:
    | "public"
    | ((request: Request) => Identity | Refusal | Promise<Identity | Refusal>);
  /** Your own stable id of the person, to whom conversations then belong. */
  readonly owner?: (
    request: Request,
    identity: Identity,
  ) => string | undefined | Promise<string | undefined>;
  /** Origins of pages elsewhere that may ask, such as `https://app.example.com`. @default none */
  readonly allowedOrigins?: readonly string[];
  /** Binds the sessions to one Agent integration. */
  readonly integrationId?: string;
  /** Life of the sessions in seconds, 60 to the project's maximum. @default 3600 */
  readonly ttlSeconds?: number;
  /**
   * The visitor's address, for limits on visitors. Give it where a proxy stands in front of your
   * server, from the header that your proxy writes. @default that of the connection, where the
   * adapter knows it: `node:http`, Express, Fastify, Hono on Node.js
   */
  readonly clientIp?: (request: Request) => string | undefined;
  /** How long the Valet server may take, in milliseconds. @default 10_000 */
  readonly timeoutMs?: number;
  /** Told of every failure that is not the caller's. */
  readonly onError?: (event: SessionHandlerEvent) => void;
  /** @default globalThis.fetch */
  readonly fetch?: typeof fetch;
}

/** Options that were checked. */
export interface CheckedOptions<Identity> extends SessionHandlerOptions<Identity> {
  /** The address of the session endpoint. */
  readonly endpoint: string;
}

/**
 * Checks options before the first request, because a wrong key shows itself late otherwise.
 *
 * @throws TypeError That names the option, and never its value where that is the key.
 */
export function checkOptions<Identity>(
  options: SessionHandlerOptions<Identity>,
): CheckedOptions<Identity> {
  const { apiKey, projectId, baseUrl, authorize } = options;
  if (typeof apiKey !== "string" || apiKey.trim() === "") {
    throw new TypeError("createSessionHandler: `apiKey` is empty. Is VALET_API_KEY set?");
  }
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new TypeError("createSessionHandler: `apiKey` has characters that no key has.");
  }
  if (typeof projectId !== "string" || !/^[A-Za-z0-9_-]+$/.test(projectId)) {
    throw new TypeError("createSessionHandler: `projectId` is not a project id, such as prj_….");
  }
  if (authorize !== "public" && typeof authorize !== "function") {
    throw new TypeError(
      'createSessionHandler: `authorize` is missing. Say who may chat, or write "public" to serve everybody.',
    );
  }
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
    throw new TypeError(
      "createSessionHandler: `baseUrl` must be the http(s) address of the Valet server.",
    );
  }
  for (const origin of options.allowedOrigins ?? []) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new TypeError(
        `createSessionHandler: ${origin} in \`allowedOrigins\` is not an origin.`,
      );
    }
  }
  const base = url.href.replace(/\/$/, "");
  return { ...options, endpoint: `${base}/agent/v1/projects/${projectId}/agent/sessions/` };
}
