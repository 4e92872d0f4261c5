import { createProblem, type ErrorCode, parseProblem, type SessionRequest } from "@valet/protocol";
import { connectionAddress } from "./connection-address.ts";
import { corsHeaders, judgeOrigin } from "./cross-site.ts";
import { type CheckedOptions, checkOptions, type SessionHandlerOptions } from "./options.ts";
import { createVisitorCookies } from "./visitor-cookie.ts";

/** Answers `POST /api/session` of your app. */
export type SessionHandler = (request: Request) => Promise<Response>;

/**
 * Creates your app's session endpoint: it asks `authorize` who it is, trades the API key for a
 * session token, and passes the Valet server's answer on unchanged.
 *
 * Its 401 and 403 come from `authorize`, or say that Valet has blocked the person; another site's
 * page gets a 400. What is wrong between your server and the Valet server is a 502 or 504, because
 * the person in front of the page can do nothing about it; 429 and 503 keep their `Retry-After`.
 * Nothing of the key is in any answer, and no answer may be cached. The body of the request is
 * never read.
 *
 * @throws TypeError When an option is wrong.
 * @example
 * const handleSession = createSessionHandler({
 *   apiKey: process.env.VALET_API_KEY,
 *   projectId: process.env.VALET_PROJECT_ID,
 *   baseUrl: process.env.VALET_API_URL,
 *   authorize: (request) => findUser(request),
 *   owner: (_request, user) => user.id,
 * });
 */
export function createSessionHandler<Identity>(
  options: SessionHandlerOptions<Identity>,
): SessionHandler {
  const checked = checkOptions(options);
  const { allowedOrigins = [], authorize, onError = () => undefined } = checked;
  const visitors = createVisitorCookies(checked.apiKey);

  async function answer(request: Request): Promise<Response> {
    if (request.method !== "POST") {
      return refuse("method_not_allowed", { allow: "POST" });
    }
    const said = authorize === "public" ? undefined : await authorize(request);
    if (authorize !== "public" && !said) return refuse("sign_in_required");
    const refusal = statusOf(said);
    if (refusal === 401) return refuse("sign_in_required");
    if (refusal === 403) return refuse("insufficient_scope");

    const visitor = authorize === "public" ? await visitors.identify(request) : undefined;
    const owner = await checked.owner?.(request, said as Identity);
    const minted = await mint(checked, {
      ...(owner !== undefined && { external_owner_id: owner }),
      ...(checked.integrationId !== undefined && { integration_id: checked.integrationId }),
      ...(checked.ttlSeconds !== undefined && { ttl_seconds: checked.ttlSeconds }),
      ...(visitor && {
        visitor_id: visitor.visitorId,
        ...visitorIp(checked, request),
      }),
    });
    if (visitor?.setCookie !== undefined) minted.headers.append("set-cookie", visitor.setCookie);
    return minted;
  }

  return async (request) => {
    const verdict = judgeOrigin(request, allowedOrigins);
    if (verdict.kind === "refused") return refuse("origin_refused");
    const cors = verdict.kind === "allowed" ? corsHeaders(verdict.origin) : {};
    if (request.method === "OPTIONS" && verdict.kind === "allowed") {
      const preflight = {
        "access-control-allow-methods": "POST",
        "access-control-max-age": "7200",
      };
      const asked = request.headers.get("access-control-request-headers");
      const headers = asked === null ? {} : { "access-control-allow-headers": asked };
      return new Response(null, { status: 204, headers: { ...cors, ...preflight, ...headers } });
    }
    const response = await answer(request).catch((cause: unknown) => {
      onError({ code: "internal_error", cause });
      return refuse("internal_error");
    });
    for (const [name, value] of Object.entries(cors)) response.headers.set(name, value);
    return response;
  };
}

/** What concerns the Valet server, whoever is asking. */
type MintOptions = Omit<CheckedOptions<unknown>, "authorize" | "owner">;

/** Asks the Valet server for a session. */
async function mint(options: MintOptions, body: SessionRequest): Promise<Response> {
  const {
    apiKey,
    endpoint,
    timeoutMs = 10_000,
    onError = () => undefined,
    fetch: send = (input, init) => globalThis.fetch(input, init),
  } = options;
  const signal = AbortSignal.timeout(timeoutMs);
  let status: number;
  let text: string;
  let retryAfter: string | null;
  try {
    const answer = await send(endpoint, {
      method: "POST",
      // A redirect would carry the key to wherever it points.
      redirect: "error",
      headers: { "x-api-key": apiKey, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
    status = answer.status;
    retryAfter = answer.headers.get("retry-after");
    text = await answer.text();
  } catch (cause) {
    const code = signal.aborted ? "session_upstream_timeout" : "session_upstream_unavailable";
    onError({ code, cause });
    return refuse(code);
  }
  if (status === 201 || status === 200) {
    return new Response(text, { status, headers: { ...headersOf("application/json") } });
  }
  const said = readCode(text);
  // About the person and not about this server: the page is told.
  if (said === "owner_blocked") return refuse(said);
  const code = upstreamCode(status);
  onError({ code, upstreamStatus: status, ...(said !== undefined && { upstreamCode: said }) });
  return refuse(code, retryAfter === null ? {} : { "retry-after": retryAfter });
}

function upstreamCode(status: number): ErrorCode {
  if (status === 429) return "rate_limited";
  if (status === 503) return "unavailable";
  return status >= 500 ? "session_upstream_unavailable" : "session_upstream_rejected";
}

function readCode(text: string): string | undefined {
  try {
    return parseProblem(JSON.parse(text))?.code;
  } catch {
    return undefined;
  }
}

function refuse(code: ErrorCode, headers: Record<string, string> = {}): Response {
  const problem = createProblem(code);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...headersOf("application/problem+json"), ...headers },
  });
}

function headersOf(contentType: string): Record<string, string> {
  return {
    "content-type": contentType,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
}

function statusOf(identity: unknown): number | undefined {
  if (typeof identity !== "object" || identity === null) return undefined;
  const { status } = identity as { status?: unknown };
  return typeof status === "number" ? status : undefined;
}

function visitorIp(
  options: Pick<MintOptions, "clientIp">,
  request: Request,
): { visitor_ip?: string } {
  const address = (options.clientIp ?? connectionAddress)(request);
  return address === undefined ? {} : { visitor_ip: address };
}
