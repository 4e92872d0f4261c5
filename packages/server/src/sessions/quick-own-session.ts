import type { Logger } from "pino";
import { readableHeaders } from "../http/cors.ts";
import { bearerTokenIn } from "../http/credentials.ts";
import { noStoreHeaders } from "../http/no-store.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { type QuickAnswer, readQuickHeaders } from "../http/quick-answer.ts";
import { commonHeaders, createRequestLog, newRequestId } from "../http/request-numbers.ts";
import { limitHeaders } from "../limits/limit-headers.ts";
import type { LocalLimiter } from "../limits/limiter.ts";
import { requestCharges } from "../limits/policies.ts";
import { createLruMap } from "../lru-map.ts";
import type { ProjectSettings } from "../projects/project-settings.ts";
import type { SessionPrincipal } from "./principal.ts";
import { checkPlace } from "./require-session.ts";
import type { SessionStanding, StandingOfSession } from "./session-standing.ts";
import type { Sessions } from "./sessions.ts";

/** What {@link createQuickOwnSession} needs: what the app is made of. */
export interface QuickOwnSessionOptions {
  readonly sessions: Sessions;
  readonly standing: Pick<SessionStanding, "leftUnbound">;
  readonly inForce: (session: SessionPrincipal) => SessionPrincipal;
  readonly limiter: LocalLimiter;
  readonly settingsOf: (projectId: string) => ProjectSettings;
  readonly isServing: () => boolean;
  readonly log: Logger;
  readonly isHttps: boolean;
}

/** A text is some 300 bytes. */
const textsRemembered = 10_000;

const path = /^\/agent\/v1\/projects\/([0-9A-Za-z_-]+)\/agent\/session\/?$/;

/**
 * Answers `GET …/agent/session/` where there is nothing to wait for and nothing to refuse: its
 * token is in memory and good. That is the check which every page and every gateway asks for most,
 * and the way through the app costs more than all of what it asks. Each check is the app's own,
 * in the app's order; whatever does not pass one goes the long way and is refused there.
 */
export function createQuickOwnSession({
  sessions,
  standing,
  inForce,
  limiter,
  settingsOf,
  isServing,
  log,
  isHttps,
}: QuickOwnSessionOptions): QuickAnswer {
  const logRequest = createRequestLog(log);
  const texts = createLruMap<{ readonly session: SessionPrincipal; readonly text: string }>(
    textsRemembered,
  );
  // As names and values in turn, which is how they go through: an object of them is made anew for
  // each answer, and costs more than all checks.
  const always = Object.entries({
    ...commonHeaders(isHttps),
    ...noStoreHeaders,
    ...readableHeaders,
    "Content-Type": "application/json",
  }).flat();

  /** The JSON of what a session is told of itself, without its last field and its end. */
  function textOf(session: SessionPrincipal, left: StandingOfSession): string {
    const known = texts.get(session.sid);
    // A policy that was changed is that of another object.
    if (known?.session === session) return known.text;
    const text = JSON.stringify({ ...sessions.describe(session), ...left }).slice(0, -1);
    texts.set(session.sid, { session, text });
    return text;
  }

  /** The session of a request, if all that the app would check is in order. */
  function admit(incoming: Parameters<QuickAnswer>[0]): SessionPrincipal | undefined {
    const projectId = path.exec(incoming.url ?? "")?.[1];
    const headers = projectId === undefined ? undefined : readQuickHeaders(incoming);
    const token = headers && bearerTokenIn(headers.authorization);
    if (token === undefined || !isServing()) return undefined;
    const verified = sessions.verifyKnown(token);
    if (!verified) return undefined;
    const session = inForce(verified);
    try {
      checkPlace(session, { projectId, origin: headers?.origin });
    } catch (error) {
      if (error instanceof ProblemError) return undefined;
      throw error;
    }
    return session;
  }

  return (incoming, outgoing) => {
    if (incoming.method !== "GET") return false;
    const startedMs = performance.now();
    const session = admit(incoming);
    const left = session && standing.leftUnbound(session);
    if (!left) return false;
    const charges = requestCharges(settingsOf(session.projectId), session);
    const verdicts = limiter.take(charges);
    // A refusal took nothing, and the app will come to the same.
    if (!verdicts.every(({ isAdmitted }) => isAdmitted)) return false;
    sessions.touch(session);

    const requestId = newRequestId();
    const body = `${textOf(session, left)},"expires_in":${sessions.secondsLeft(session)}}`;
    const limits = limitHeaders(verdicts);
    const headers = always.concat("x-request-id", requestId);
    for (const name in limits) headers.push(name, limits[name] as string);
    headers.push("Content-Length", String(Buffer.byteLength(body)));
    outgoing.writeHead(200, headers);
    outgoing.end(body);
    logRequest({ requestId, method: "GET", path: incoming.url ?? "", status: 200, startedMs });
    return true;
  };
}
