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
    const verified = await sessions.verify(readBearerToken(c));
    const session = inForce(verified);
    if (session.projectId !== c.req.param("projectId")) throw new ProblemError("not_found");
    const { origins } = session.policy;
    const origin = c.req.header("origin");
    if (origins && origin !== undefined && !origins.includes(origin)) {
      throw new ProblemError("origin_not_allowed");
    }
    sessions.touch(verified);
    c.set("session", session);
    await next();
  });
}
