import { checkTokenText, invalidToken } from "./token-text.ts";

/**
 * What `getSessionToken` may return: the server's reply as it is, or the normalised form. Only the
 * token is needed; unknown fields are ignored.
 */
export type SessionTokenResult =
  | {
      readonly session_token: string;
      readonly expires_at?: string | number | Date;
      readonly expires_in?: number;
      readonly issued_at?: string | number | Date;
      readonly server_time?: string | number | Date;
      readonly api_url?: string;
    }
  | {
      readonly token: string;
      readonly expiresAt?: string | number | Date;
      readonly expiresIn?: number;
      readonly issuedAt?: string | number | Date;
      readonly apiUrl?: string;
    };

/** What the life of a token was read from, best first. */
export type LifeSource = "relative" | "issued" | "offset" | "absolute" | "unknown";

/** Why an expiry could not be used as it came. */
export type OddExpiry = "missing" | "unreadable" | "no-zone";

/** A reply of the session endpoint, read and found good. */
export interface ParsedReply {
  readonly value: string;
  /** How long the token lives from the moment it was asked for, in milliseconds; or not known. */
  readonly lifeMs: number | undefined;
  readonly source: LifeSource;
  /** What was odd about the expiry. */
  readonly oddExpiry: OddExpiry | undefined;
  /** Where the reply says that the API is. */
  readonly apiUrl: string | undefined;
}

/**
 * Reads what `getSessionToken` returned, each property once.
 *
 * @param nowMs Wall clock at the moment the token was asked for.
 * @param offsetMs What the server's clock is known to be ahead by, if it is.
 * @throws {@link TokenError} `invalid_token`, saying what came instead and never the value.
 */
export function parseSessionReply(result: unknown, nowMs: number, offsetMs?: number): ParsedReply {
  const kind = kindOf(result);
  if (kind !== "object") {
    throw invalidToken(`result_${kind}`, `getSessionToken returned ${kind}, not an object.`);
  }
  const reply = result as Record<string, unknown>;
  if (typeof reply.json === "function" && typeof reply.status === "number") {
    throw invalidToken(
      "response",
      "getSessionToken returned a Response: return `await res.json()`.",
    );
  }
  const value = readValue(reply);
  const { api_url, apiUrl = api_url } = reply;
  const life = readLife(reply, nowMs, offsetMs);
  return { ...life, value, apiUrl: typeof apiUrl === "string" ? apiUrl : undefined };
}

function readValue(reply: Record<string, unknown>): string {
  const { session_token: raw, token: normalised } = reply;
  const value = raw ?? normalised ?? null;
  if (value !== (normalised ?? value)) {
    throw invalidToken("two_tokens", "`session_token` and `token` differ.");
  }
  if (value === null) {
    // An error passed on with status 200 is the commonest mistake: say what it said. Short words
    // only: a long one may be a token in the wrong place.
    const fields = Object.entries(reply).map(([name, field]) =>
      /^(\S{1,20}( |$)){1,9}$/.test(String(field)) ? `${name}: ${field}` : name,
    );
    throw invalidToken("no_token", `getSessionToken returned no \`session_token\`: ${fields}.`);
  }
  if (typeof value !== "string") {
    const kind = kindOf(value);
    throw invalidToken(kind, `The token is ${kind}, not a text.`);
  }
  checkTokenText(value);
  return value;
}

function readLife(
  reply: Record<string, unknown>,
  nowMs: number,
  offsetMs: number | undefined,
): Pick<ParsedReply, "lifeMs" | "source" | "oddExpiry"> {
  const { expires_in, expiresIn = expires_in, expires_at, expiresAt = expires_at } = reply;
  // Some servers write numbers as texts.
  const seconds = Number.parseFloat(String(expiresIn));
  let source: LifeSource = "relative";
  let oddExpiry: OddExpiry | undefined;
  let lifeMs: number | undefined = seconds * 1000;
  if (!(seconds > 0 && seconds < Number.POSITIVE_INFINITY)) {
    const { server_time, issued_at = server_time, issuedAt = issued_at } = reply;
    const endMs = parseInstant(expiresAt);
    const startMs = parseInstant(issuedAt);
    if (endMs === undefined) {
      lifeMs = undefined;
      source = "unknown";
      oddExpiry = expiresAt ? "unreadable" : "missing";
    } else {
      lifeMs = endMs - (startMs ?? nowMs + (offsetMs ?? 0));
      source = startMs !== undefined ? "issued" : offsetMs === undefined ? "absolute" : "offset";
      // Only what has none can take one.
      if (parseInstant(`${expiresAt}Z`) !== undefined) oddExpiry = "no-zone";
    }
  }
  return { lifeMs, source, oddExpiry };
}

const isoInstant =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d+)?\s*(?:(Z|UTC)|([+-]\d\d):?(\d\d))?$/i;

/**
 * An instant in milliseconds since 1970: a `Date`, seconds or milliseconds as a number, or ISO
 * 8601 with any number of decimals. Without a zone it is UTC. Brought into the one spelling that
 * ECMAScript defines, because browsers disagree about all others.
 */
export function parseInstant(value: unknown): number | undefined {
  if (typeof value === "number" || value instanceof Date) {
    return plausible(Math.abs(+value) < 1e11 ? +value * 1000 : +value);
  }
  const parts = typeof value === "string" && isoInstant.exec(value.trim());
  if (!parts) return undefined;
  const [, day, minute, second = ":00", fraction = ".", , hours, minutes] = parts;
  const zone = hours ? `${hours}:${minutes}` : "Z";
  return plausible(
    Date.parse(`${day}T${minute}${second}${fraction.slice(0, 4).padEnd(4, "0")}${zone}`),
  );
}

/** Years of five digits are a unit mistaken for another. */
const farFutureMs = 2.5e14;

function plausible(ms: number): number | undefined {
  return Math.abs(ms) < farFutureMs ? ms : undefined;
}

/** What came in the place of an object or a text, in a word. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
