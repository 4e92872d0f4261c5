import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/app-env.ts";
import { readBearerToken } from "../http/credentials.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { SessionPrincipal } from "./principal.ts";
import type { Sessions } from "./sessions.ts";

/**
 * Lets only a live session of the path's project through, and puts it into the context, with the
 * policy that is in force. The order is the promise: whether the token is good is told before
 * anything about the project is.
 *
 * @param inForce Narrows a session's policy to what its project says now.
 * @throws {@link ProblemError} Those of the credential, `not_found` for another project,
 *   `origin_not_allowed`.
 */
export function requireSession(
  sessions: Sessions,
  inForce: (session: SessionPrincipal) => SessionPrincipal,
) {
  return createMiddleware<AppEnv>(async (c, next) => {
    await admitSession(c, { sessions, inForce, projectId: c.req.param("projectId") });
    await next();
  });
}

/** What {@link admitSession} needs. */
export interface AdmitSessionOptions {
  readonly sessions: Sessions;
  readonly inForce: (session: SessionPrincipal) => SessionPrincipal;
  /** The project of the path; null where the path names none. */
  readonly projectId: string | null | undefined;
}

/**
 * The session of a request, for routes whose path has no project; the checks of
 * {@link requireSession}. Puts it into the context and notes that it was used.
 */
export async function admitSession(
  c: Context<AppEnv>,
  { sessions, inForce, projectId }: AdmitSessionOptions,
): Promise<SessionPrincipal> {
  const verified = await sessions.verify(readBearerToken(c));
  const session = inForce(verified);
  checkPlace(session, { projectId, origin: c.req.header("origin") });
  sessions.touch(verified);
  c.set("session", session);
  return session;
}

/** Where a session is used. */
export interface PlaceOfUse {
  /** The project of the path; null where the path names none. */
  readonly projectId: string | null | undefined;
  /** The `Origin` of the request, if it has one. */
  readonly origin: string | undefined;
}

/**
 * Whether a session may be used where it is.
 *
 * @throws {@link ProblemError} `not_found` for another project, `origin_not_allowed`.
 */
export function checkPlace(session: SessionPrincipal, { projectId, origin }: PlaceOfUse): void {
  if (projectId !== null && session.projectId !== projectId) throw new ProblemError("not_found");
  const { origins } = session.policy;
  if (origins && origin !== undefined && !origins.includes(origin)) {
    throw new ProblemError("origin_not_allowed");
  }
}
