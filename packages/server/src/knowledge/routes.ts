import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { AppEnv } from "../http/app-env.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { SessionPrincipal } from "../sessions/principal.ts";
import type { Knowledge } from "./knowledge.ts";
import type { SourceAccess } from "./source-access.ts";
import { renderNotice, renderSourcePage, sourcePagePolicy } from "./source-page.ts";

/** What {@link sourceRoutes} needs. */
export interface SourceRoutesOptions {
  readonly knowledge: Knowledge;
  /** The session of a request that bears a token, checked, and counted as one of its requests. */
  readonly readSession: (c: Context<AppEnv>) => Promise<SessionPrincipal>;
  readonly access: SourceAccess;
  /** Whether browsers reach the server over TLS, which a proxy may end before it. */
  readonly isSecure: boolean;
  /** The project of a document, if the request's cookie belongs to a person of that project's team. */
  readonly projectOfPerson: (headers: Headers, documentId: string) => Promise<string | undefined>;
}

const cookieName = "valet_source";

/** `/sources/{id}`: pages of documentation that have no public address of their own. */
export function sourceRoutes(options: SourceRoutesOptions): Hono<AppEnv> {
  const { knowledge, readSession, access } = options;
  const app = new Hono<AppEnv>({ strict: false });

  app.post("/sources/:id/ticket", async (c) => {
    const session = await readSession(c);
    const id = c.req.param("id");
    if (!(await knowledge.document(session.projectId, id))) throw new ProblemError("not_found");
    const ticket = access.issue(session, id);
    return c.json({ url: `/sources/${id}?ticket=${ticket}` }, 201);
  });

  app.get("/sources/:id", async (c) => {
    const id = c.req.param("id");
    const ticket = c.req.query("ticket");
    if (ticket !== undefined) return redeem(c, id, ticket, options);
    const projectId = await projectOfReader(c, id, options);
    if (projectId === undefined) {
      const text = "This link has ended. Open the source again from the conversation.";
      return answerPage(c, renderNotice("Open it from the conversation", text), 401);
    }
    const document = await knowledge.document(projectId, id);
    if (!document) {
      const text = "The page was removed from the documentation, or never was there.";
      return answerPage(c, renderNotice("There is nothing here", text), 404);
    }
    return answerPage(c, renderSourcePage(document), 200);
  });
  return app;
}

/** The browser keeps the `#anchor` of the address through this redirect. */
function redeem(
  c: Context<AppEnv>,
  id: string,
  ticket: string,
  { access, isSecure }: SourceRoutesOptions,
): Response {
  const redeemed = access.redeem(ticket, id);
  if (redeemed) {
    setCookie(c, cookieName, redeemed.cookie, {
      httpOnly: true,
      sameSite: "Lax",
      path: "/sources",
      maxAge: redeemed.maxAgeS,
      secure: isSecure,
    });
  }
  // A ticket that is spent still leads to the page: whoever reloads has the cookie.
  c.header("cache-control", "no-store");
  return c.redirect(`/sources/${encodeURIComponent(id)}`, 303);
}

/** The project whose documents the request may see. */
async function projectOfReader(
  c: Context<AppEnv>,
  documentId: string,
  { readSession, access, projectOfPerson }: SourceRoutesOptions,
): Promise<string | undefined> {
  if (c.req.header("authorization") !== undefined) {
    return (await readSession(c)).projectId;
  }
  const reader = access.read(getCookie(c, cookieName) ?? "");
  if (reader) return reader.projectId;
  return projectOfPerson(c.req.raw.headers, documentId);
}

function answerPage(c: Context<AppEnv>, html: string, status: 200 | 401 | 404): Response {
  c.header("content-security-policy", sourcePagePolicy);
  c.header("x-frame-options", "DENY");
  c.header("cache-control", "no-store");
  return c.html(html, status);
}
