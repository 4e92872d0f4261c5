import type { Context } from "hono";
import { parseApiKey } from "../api-keys/api-key-format.ts";
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

/** A text without the session tokens and API keys in it, for the log. */
export function hideCredentials(text: string): string {
  return text.replace(/S[0-9A-Za-z]{63}|agk_(?:live|test)_[0-9A-Za-z_]+/g, "[credential]");
}

/**
 * Refuses a credential in the query string, even a good one: URLs end up in logs, histories and
 * `Referer` headers (RFC 6750 section 5.3).
 *
 * @throws {@link ProblemError} `credential_in_query`.
 */
export function refuseQueryCredentials(c: Context<AppEnv>): void {
  if (!c.req.url.includes("?")) return;
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
  const token = bearerTokenIn(header);
  if (token === undefined) throw new ProblemError("invalid_token");
  return token;
}

/** The token of an `Authorization` header; undefined if it holds something else. */
export function bearerTokenIn(header: string): string | undefined {
  return /^bearer +(\S+)$/i.exec(header)?.[1];
}

/**
 * The API key of a request.
 *
 * @param mayBeBasic Whether it may also come as an OAuth client's Basic credentials, `kid:key`
 *   (RFC 6749 section 2.3.1).
 * @throws {@link ProblemError} `missing_credential`, `ambiguous_credentials` or
 *   `credential_in_query`.
 */
export function readApiKey(c: Context<AppEnv>, mayBeBasic = false): string {
  refuseQueryCredentials(c);
  const key = c.req.header("x-api-key");
  const basic = /^basic +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  if (mayBeBasic && key === undefined && basic !== undefined) {
    const [kid, text] = Buffer.from(basic, "base64").toString().split(":").map(formDecode);
    if (kid === undefined || text === undefined || kid !== parseApiKey(text)) {
      throw new ProblemError("invalid_api_key");
    }
    return text;
  }
  if (key === undefined) {
    throw new ProblemError("missing_credential", {
      detail: "Send your API key as `X-API-Key`, from your server.",
    });
  }
  if (c.req.header("authorization") !== undefined) throw new ProblemError("ambiguous_credentials");
  return key.trim();
}

/** OAuth clients write both halves of their credentials as forms do: `_` may come as `%5F`. */
function formDecode(text: string): string {
  return new URLSearchParams(`text=${text}`).get("text") ?? "";
}

/**
 * Whether a web page sent the request. `Origin` and `Sec-Fetch-Site` come from browsers alone;
 * `Sec-Fetch-Mode` proves nothing, because the `fetch` of Node.js sends it too.
 */
export function isFromPage(c: Context<AppEnv>): boolean {
  return c.req.header("origin") !== undefined || c.req.header("sec-fetch-site") !== undefined;
}
