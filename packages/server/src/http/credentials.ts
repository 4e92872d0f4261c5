import type { Context } from "hono";
import type { AppEnv } from "./app-env.ts";
import { ProblemError } from "./problem-answer.ts";

const credentialNames = new Set([
  "access_token",
  "api_key",
  "apikey",
  "session_token",
  "token",
  "x-api-key",
]);
const credentialText = /^(?:S[0-9A-Za-z]{63}|agk_(?:live|test)_[0-9A-Za-z_]+)$/;

/**
 * Refuses a credential in the query string, even a good one: URLs end up in logs, histories and
 * `Referer` headers (RFC 6750 section 5.3).
 *
 * @throws {@link ProblemError} `credential_in_query`.
 */
export function refuseQueryCredentials(c: Context<AppEnv>): void {
  for (const [name, value] of new URL(c.req.url).searchParams) {
    if (credentialNames.has(name.toLowerCase()) || credentialText.test(value)) {
      throw new ProblemError("credential_in_query");
    }
  }
}

/**
 * The bearer token of a request.
 *
 * @throws {@link ProblemError} `missing_credential`, `ambiguous_credentials`, `invalid_token` or
 *   `credential_in_query`.
 */
export function readBearerToken(c: Context<AppEnv>): string {
  refuseQueryCredentials(c);
  const header = c.req.header("authorization");
  if (c.req.header("x-api-key") !== undefined) {
    // A key sent from a page is told so by the key's own check; with both, which one counts?
    throw new ProblemError(header === undefined ? "missing_credential" : "ambiguous_credentials", {
      detail: "This address takes a session token as `Authorization: Bearer`, not an API key.",
    });
  }
  if (header === undefined) throw new ProblemError("missing_credential");
  const token = /^bearer +(\S+)$/i.exec(header)?.[1];
  if (token === undefined) throw new ProblemError("invalid_token");
  return token;
}

/**
 * The API key of a request.
 *
 * @throws {@link ProblemError} `missing_credential`, `ambiguous_credentials` or
 *   `credential_in_query`.
 */
export function readApiKey(c: Context<AppEnv>): string {
  refuseQueryCredentials(c);
  const key = c.req.header("x-api-key");
  if (key === undefined) {
    throw new ProblemError("missing_credential", {
      detail: "Send your API key as `X-API-Key`, from your server.",
    });
  }
  if (c.req.header("authorization") !== undefined) throw new ProblemError("ambiguous_credentials");
  return key.trim();
}

/**
 * Whether a web page sent the request. `Origin` and `Sec-Fetch-Site` come from browsers alone;
 * `Sec-Fetch-Mode` proves nothing, because the `fetch` of Node.js sends it too.
 */
export function isFromPage(c: Context<AppEnv>): boolean {
  return c.req.header("origin") !== undefined || c.req.header("sec-fetch-site") !== undefined;
}
