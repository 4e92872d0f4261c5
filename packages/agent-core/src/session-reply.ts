import { TokenError } from "./token-error.ts";

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
      readonly api_url?: string;
    }
  | {
      readonly token: string;
      readonly expiresAt?: string | number | Date;
      readonly expiresIn?: number;
      readonly issuedAt?: string | number | Date;
      readonly apiUrl?: string;
    };

/** A reply of the session endpoint, read and found good. */
export interface ParsedReply {
  readonly value: string;
  /** How long the token lives from the moment it was asked for, in milliseconds; or not known. */
  readonly lifeMs: number | undefined;
  /** What the life was read from. */
  readonly source: "relative" | "issued" | "absolute" | "unknown";
  /** Where the reply says that the API is. */
  readonly apiUrl: string | undefined;
}

const tokenText = /^[\x21-\x7e]{1,8192}$/;
const placeholders = new Set(["undefined", "null", "[object", "NaN"]);

/**
 * Reads what `getSessionToken` returned.
 *
 * @param nowMs Wall clock at the moment the token was asked for.
 * @throws {@link TokenError} `invalid_token`, saying what came instead and never the value.
 */
export function parseSessionReply(result: unknown, nowMs: number): ParsedReply {
  if (typeof result !== "object" || result === null) {
    throw invalid(`getSessionToken returned ${describe(result)} instead of an object.`);
  }
  const reply = result as Record<string, unknown>;
  if (typeof reply.json === "function" && typeof reply.status === "number") {
    throw invalid("getSessionToken returned a Response. Return `await res.json()` instead.");
  }
  const value = readValue(reply);
  const { lifeMs, source } = readLife(reply, nowMs);
  const apiUrl = reply.api_url ?? reply.apiUrl;
  return { value, lifeMs, source, apiUrl: typeof apiUrl === "string" ? apiUrl : undefined };
}

function readValue(reply: Record<string, unknown>): string {
  const { session_token: raw, token: normalised } = reply;
  if (raw !== undefined && normalised !== undefined && raw !== normalised) {
    throw invalid("getSessionToken returned two different tokens, `session_token` and `token`.");
  }
  const value = raw ?? normalised;
  if (value === undefined) throw invalid(describeTokenless(reply));
  if (typeof value !== "string") throw invalid(`The token is ${describe(value)}, not a text.`);
  const odd =
    !tokenText.test(value) ||
    placeholders.has(value) ||
    /^[{"[]/.test(value) ||
    /^bearer$/i.test(value);
  if (odd) throw invalid("The token is not one: it is empty, has spaces, or is JSON in a text.");
  return value;
}

/** A proxy that passes an error on with status 200 is the commonest mistake: say what it said. */
function describeTokenless(reply: Record<string, unknown>): string {
  const code = typeof reply.code === "string" ? reply.code : undefined;
  const said = [reply.title, reply.error, reply.detail, reply.message].find(
    (text): text is string => typeof text === "string" && text.length < 200,
  );
  if (code === undefined && said === undefined) {
    return "getSessionToken returned an object without `session_token`.";
  }
  return `Your session endpoint answered with an error instead of a token: ${[code, said].filter(Boolean).join(", ")}. Let it pass the status on, too.`;
}

function readLife(
  reply: Record<string, unknown>,
  nowMs: number,
): Pick<ParsedReply, "lifeMs" | "source"> {
  const expiresIn = reply.expires_in ?? reply.expiresIn;
  if (typeof expiresIn === "number" && Number.isFinite(expiresIn) && expiresIn > 0) {
    return { lifeMs: expiresIn * 1000, source: "relative" };
  }
  const expiresAtMs = parseInstant(reply.expires_at ?? reply.expiresAt);
  if (expiresAtMs === undefined) return { lifeMs: undefined, source: "unknown" };
  const issuedAtMs = parseInstant(reply.issued_at ?? reply.issuedAt);
  if (issuedAtMs !== undefined) return { lifeMs: expiresAtMs - issuedAtMs, source: "issued" };
  return { lifeMs: expiresAtMs - nowMs, source: "absolute" };
}

const isoInstant =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/i;

/**
 * An instant in milliseconds since 1970: a `Date`, seconds or milliseconds as a number, or ISO
 * 8601 with any number of decimals. Without a zone it is UTC. Read by its parts, because browsers
 * disagree about all but one spelling.
 */
export function parseInstant(value: unknown): number | undefined {
  if (value instanceof Date) return finite(value.getTime());
  if (typeof value === "number") return finite(Math.abs(value) < 1e11 ? value * 1000 : value);
  if (typeof value !== "string") return undefined;
  const parts = isoInstant.exec(value.trim());
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second = "0", fraction = "0", zone = "Z"] = parts;
  const utcMs = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Math.floor(Number(`0.${fraction}`) * 1000),
  );
  return finite(utcMs - zoneOffsetMs(zone));
}

function zoneOffsetMs(zone: string): number {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (!match) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return (match[1] === "-" ? -minutes : minutes) * 60_000;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  return value === undefined ? "nothing" : `a ${typeof value}`;
}

function invalid(message: string): TokenError {
  return new TokenError("invalid_token", message);
}
