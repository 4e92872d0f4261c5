import { createHmac, timingSafeEqual } from "node:crypto";
import { type RandomBytes, randomBase62 } from "../base62.ts";

/** Who may look at source pages: a session, until it ends. */
export interface SourceReader {
  readonly projectId: string;
  readonly sid: string;
  readonly expiresAtMs: number;
}

/**
 * Lets a browser open a source page. A link that is clicked carries no bearer token, and a token
 * must never stand in a URL; so the page trades its token for a ticket, which is good once and for
 * a minute, and the ticket for a cookie that only `/sources` gets.
 */
export interface SourceAccess {
  /** A ticket of this reader for one document. */
  issue(reader: SourceReader, documentId: string): string;
  /** Trades a ticket for the value of the cookie. */
  redeem(ticket: string, documentId: string): { cookie: string; maxAgeS: number } | undefined;
  /** Who a cookie was given to; `undefined` for one that was made up, or is over. */
  read(cookie: string): SourceReader | undefined;
}

/** What {@link createSourceAccess} needs. */
export interface SourceAccessOptions {
  /** Signs the cookies. */
  readonly secret: Buffer;
  readonly now?: () => number;
  readonly random?: RandomBytes;
}

const ticketLifeMs = 60_000;
const maxTickets = 10_000;

/** Creates the tickets of one server. */
export function createSourceAccess({
  secret,
  now = Date.now,
  random,
}: SourceAccessOptions): SourceAccess {
  const tickets = new Map<
    string,
    { readonly reader: SourceReader; readonly documentId: string; readonly untilMs: number }
  >();
  const sign = (text: string) => createHmac("sha256", secret).update(text).digest("base64url");

  return {
    issue(reader, documentId) {
      for (const [ticket, { untilMs }] of tickets) {
        if (untilMs > now() && tickets.size < maxTickets) break;
        tickets.delete(ticket);
      }
      const ticket = randomBase62(32, random);
      tickets.set(ticket, { reader, documentId, untilMs: now() + ticketLifeMs });
      return ticket;
    },
    redeem(ticket, documentId) {
      const found = tickets.get(ticket);
      tickets.delete(ticket);
      if (!found || found.untilMs <= now() || found.documentId !== documentId) return undefined;
      const { projectId, sid, expiresAtMs } = found.reader;
      const body = `${projectId}.${sid}.${expiresAtMs}`;
      const maxAgeS = Math.max(0, Math.floor((expiresAtMs - now()) / 1000));
      return { cookie: `${body}.${sign(body)}`, maxAgeS };
    },
    read(cookie) {
      const parts = /^((prj_\w+)\.(ses_\w+)\.(\d{1,15}))\.([\w-]{43})$/.exec(cookie);
      const [, body = "", projectId = "", sid = "", expiresAt = "", signature = ""] = parts ?? [];
      const expected = Buffer.from(sign(body));
      if (!parts || !timingSafeEqual(expected, Buffer.from(signature))) return undefined;
      const expiresAtMs = Number(expiresAt);
      return expiresAtMs > now() ? { projectId, sid, expiresAtMs } : undefined;
    },
  };
}
