import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { isPostgres } from "../database/dialect.ts";
import { ProblemError } from "../http/problem-answer.ts";

/** A person who has an account on this server. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** The people of this server and their sign-ins. `better-auth` does the work. */
export interface People {
  /** Answers sign-in, sign-out and get-session below {@link signInPath}. */
  handle(request: Request): Promise<Response>;
  /** Whoever the request's cookie belongs to. */
  whoIs(headers: Headers): Promise<Person | undefined>;
  /** Whether anyone has an account. */
  hasAccounts(): Promise<boolean>;
  /**
   * Makes an account and signs it in; the cookies are those of a sign-in.
   *
   * @throws {@link ProblemError} `invalid_request` naming the field.
   */
  createAccount(account: NewAccount): Promise<{ person: Person; cookies: string[] }>;
  /** Whether this is the password of whoever the request's cookie belongs to. */
  isPassword(headers: Headers, password: string): Promise<boolean>;
}

/** What an account is made of. */
export interface NewAccount {
  readonly name: string;
  readonly email: string;
  readonly password: string;
}

/** Below this path {@link People.handle} answers. */
export const signInPath = "/admin/v1/auth";

/** Set by the server itself from the connection; a client's own is thrown away. */
export const clientAddressHeader = "x-valet-client-address";

/** What {@link createPeople} needs. */
export interface PeopleOptions {
  readonly database: Database;
  /** Signs the cookies. */
  readonly secret: string;
  /** The dashboard's own address. */
  readonly baseUrl: string;
  /** Origins from which the dashboard may be used. */
  readonly origins: readonly string[];
  readonly onError?: (message: string) => void;
}

/** Opens the accounts in the database, making their tables where there are none. */
export async function createPeople({
  database,
  secret,
  baseUrl,
  origins,
  onError = () => undefined,
}: PeopleOptions): Promise<People> {
  const options = {
    appName: "Valet",
    baseURL: baseUrl,
    basePath: signInPath,
    secret,
    database: {
      db: database,
      type: isPostgres(database) ? ("postgres" as const) : ("sqlite" as const),
    },
    // Its own names are taken: here a session is what an agent's token stands for.
    user: { modelName: "person" },
    session: { modelName: "sign_in" },
    account: { modelName: "person_account" },
    verification: { modelName: "person_verification" },
    trustedOrigins: [...origins],
    emailAndPassword: { enabled: true, minPasswordLength: 10, maxPasswordLength: 128 },
    // Ten guesses a minute from one address; the memory of them ends with the process.
    rateLimit: {
      enabled: true,
      storage: "memory" as const,
      window: 60,
      max: 300,
      customRules: { "/sign-in/email": { window: 60, max: 10 } },
    },
    advanced: {
      cookiePrefix: "valet",
      useSecureCookies: baseUrl.startsWith("https:"),
      ipAddress: { ipAddressHeaders: [clientAddressHeader] },
    },
    telemetry: { enabled: false },
    // What nobody foresaw is thrown to us: otherwise it goes to the console, past the log. What it
    // refuses is answered as ever.
    onAPIError: { throw: true },
    logger: {
      level: "error" as const,
      log: (_level: string, message: string) => onError(message),
    },
  };
  const auth = betterAuth(options);
  const { runMigrations } = await getMigrations(options);
  await runMigrations();

  /** It makes a failure of its own out of the database's: asking the database tells them apart. */
  async function checkDatabase(): Promise<void> {
    await sql`select 1`.execute(database);
  }

  return {
    async handle(request) {
      const answer = await auth.handler(request).catch(async (error: unknown) => {
        await checkDatabase();
        throw withoutDetails(error);
      });
      if (answer.status >= 500) {
        await checkDatabase();
        onError(`A sign-in could not be answered: ${answer.statusText}`);
      }
      return answer;
    },
    async whoIs(headers) {
      const found = await auth.api.getSession({ headers }).catch(async (error: unknown) => {
        await checkDatabase();
        throw error;
      });
      if (!found) return undefined;
      return { id: found.user.id, name: found.user.name, email: found.user.email };
    },
    async hasAccounts() {
      const context = await auth.$context;
      return (await context.internalAdapter.countTotalUsers()) > 0;
    },
    async createAccount({ name, email, password }) {
      const answer = await auth.api.signUpEmail({
        body: { name, email, password },
        asResponse: true,
      });
      if (answer.status >= 500) await checkDatabase();
      if (!answer.ok) throw await toProblem(answer);
      const { user } = (await answer.json()) as { user: Person };
      return {
        person: { id: user.id, name: user.name, email: user.email },
        cookies: answer.headers.getSetCookie(),
      };
    },
    async isPassword(headers, password) {
      try {
        const { status } = await auth.api.verifyPassword({ headers, body: { password } });
        return status;
      } catch {
        await checkDatabase();
        return false;
      }
    },
  };
}

/** An error without what a database adds to it: the row, and with it the address of a person. */
function withoutDetails(error: unknown): Error {
  if (!(error instanceof Error)) return new Error("A sign-in failed.");
  const bare = new Error(error.message);
  bare.name = error.name;
  if (error.stack !== undefined) bare.stack = error.stack;
  return bare;
}

async function toProblem(answer: Response): Promise<ProblemError> {
  const { code } = (await answer.json().catch(() => ({}))) as { code?: string };
  switch (code) {
    case "USER_ALREADY_EXISTS":
    case "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL":
      return new ProblemError("invalid_request", {
        field: "email",
        detail: "There is an account with this address already. Sign in instead.",
      });
    case "INVALID_EMAIL":
      return new ProblemError("invalid_request", {
        field: "email",
        detail: "This is not an e-mail address.",
      });
    case "PASSWORD_TOO_SHORT":
    case "PASSWORD_TOO_LONG":
      return new ProblemError("invalid_request", {
        field: "password",
        detail: "A password has 10 to 128 characters.",
      });
    default:
      return new ProblemError("internal_error", { cause: new Error(`sign-up: ${code}`) });
  }
}
