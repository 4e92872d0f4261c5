import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Audit } from "../audit/audit.ts";
import { auditContext } from "../audit/audit-context.ts";
import type { Tallies } from "../audit/tallies.ts";
import type { AppEnv } from "../http/app-env.ts";
import type { ClientAddress } from "../http/client-address.ts";
import { networkOf } from "../http/ip-address.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { readJson } from "../http/read-json.ts";
import type { Teams } from "../teams/teams.ts";
import { clientAddressHeader, type People, signInPath } from "./people.ts";
import { requirePerson } from "./require-person.ts";
import type { SetupLinks } from "./setup-links.ts";

export const setupRequest = z.strictObject({
  code: z.string().min(1).max(200),
  name: z.string().trim().min(1, "Say what to call you.").max(100),
  email: z.email("This is not an e-mail address.").max(254),
  password: z
    .string()
    .min(10, "A password has at least 10 characters.")
    .max(128, "A password has at most 128 characters."),
});

/** The three of `better-auth`'s routes that the dashboard uses. Every other one stays closed. */
const signInRoutes: readonly (readonly ["GET" | "POST", string])[] = [
  ["POST", "/sign-in/email"],
  ["POST", "/sign-out"],
  ["GET", "/get-session"],
];

/** What {@link peopleRoutes} needs. */
export interface PeopleRoutesOptions {
  readonly people: People;
  readonly teams: Teams;
  readonly audit: Audit;
  readonly tallies: Pick<Tallies, "signInFailed">;
  readonly setupLinks: SetupLinks;
  /** For the limit on guesses. */
  readonly clientAddress: ClientAddress;
}

/** `/admin/v1`: set-up, sign-in and who one is. */
export function peopleRoutes({
  people,
  teams,
  audit,
  tallies,
  setupLinks,
  clientAddress,
}: PeopleRoutesOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false });

  /** A sign-in has a line in the audit; a failure is counted. */
  async function noteSignIn(c: Context<AppEnv>, answer: Response): Promise<void> {
    if (!answer.ok) return tallies.signInFailed(networkOf(clientAddress(c)));
    const { user } = (await answer.clone().json()) as { user: { id: string } };
    await note(c, user.id, "console.login");
  }

  /** Lines about a person stand in the audit of their first team. */
  async function note(c: Context<AppEnv>, personId: string, event: string): Promise<void> {
    const [team] = await teams.teamsOf(personId);
    const actor = auditContext(c, `person:${personId}`);
    await audit.record({ actor, event, ...(team && { teamId: team.id }) });
  }

  app.get("/admin/v1/setup", async (c) => c.json({ accounts: await people.hasAccounts() }));

  app.post("/admin/v1/setup", async (c) => {
    const { code, ...account } = await readJson(c, setupRequest);
    const made = await setupLinks.spend(code, async (teamId) => {
      const created = await people.createAccount(account);
      const actor = auditContext(c, `person:${created.person.id}`);
      await audit.record({ actor, event: "setup_link.used", ...(teamId !== null && { teamId }) });
      await teams.welcome(created.person, teamId, actor);
      return created;
    });
    if (!made) throw new ProblemError("invalid_setup_code");
    for (const cookie of made.cookies) c.header("set-cookie", cookie, { append: true });
    return c.json({ user: made.person }, 201);
  });

  for (const [method, path] of signInRoutes) {
    app.on(method, `${signInPath}${path}`, async (c) => {
      const headers = new Headers(c.req.raw.headers);
      headers.set(clientAddressHeader, clientAddress(c));
      // Asked beforehand: behind a sign-out nobody is there to be named.
      const leaving = path === "/sign-out" ? await people.whoIs(headers) : undefined;
      const answer = await people.handle(new Request(c.req.raw, { headers }));
      if (path === "/sign-in/email") await noteSignIn(c, answer);
      if (leaving && answer.ok) await note(c, leaving.id, "console.logout");
      return answer;
    });
  }

  app.get("/admin/v1/me", requirePerson(people), (c) => c.json({ user: c.get("person") }));
  return app;
}
