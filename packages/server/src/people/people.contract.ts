import { sql } from "kysely";
import { afterEach, expect, test, vi } from "vitest";
import { useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";
import { clientAddressHeader, createPeople, signInPath } from "./people.ts";
import { signInChores } from "./sign-in-chores.ts";

const hourMs = 3_600_000;
const password = "a password nobody may see";
const account = { name: "Ada", email: "ada@valet.test", password };

/** What the accounts promise, whichever database they are in. */
export function peopleContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const said: string[] = [];
  let asked = kind.name === "SQLite" ? 0 : 100;
  const nextAddress = () => {
    asked += 1;
    return `192.0.2.${asked}`;
  };
  const open = () =>
    createPeople({
      database: place.database,
      secret: "0123456789abcdef0123456789abcdef",
      baseUrl: "http://localhost:3210",
      origins: ["http://localhost:3210"],
      onError: (message) => said.push(message),
    });
  const signIn = (body: object) =>
    new Request(`http://localhost:3210${signInPath}/sign-in/email`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        origin: "http://localhost:3210",
        // The memory of guesses is one for the whole process: each request comes from elsewhere.
        [clientAddressHeader]: nextAddress(),
      },
      body: JSON.stringify(body),
    });
  const countSignIns = async () => {
    const { rows } = await sql<{ count: number }>`select count(*) as count from sign_in`.execute(
      place.database,
    );
    return Number(rows[0]?.count);
  };

  afterEach(() => void vi.restoreAllMocks());

  test(`${kind.name}: a sign-in that was over a day ago is forgotten, and one that is not stays`, async () => {
    const people = await open();
    const { cookies } = await people.createAccount(account);
    for (let time = 0; time < 4; time += 1) {
      expect((await people.handle(signIn(account))).status).toBe(200);
    }
    const before = await countSignIns();
    expect(before).toBeGreaterThanOrEqual(4);
    const endMs = Date.now() + 7 * 24 * hourMs;
    const [chore] = signInChores(place.database);
    expect(await chore?.step(endMs + 23 * hourMs, 3)).toBe(0);
    const headers = new Headers({ cookie: cookies.map((each) => each.split(";")[0]).join("; ") });
    expect((await people.whoIs(headers))?.email).toBe(account.email);
    const gone = [];
    for (let left = before; left > 0; left -= 3)
      gone.push(await chore?.step(endMs + 25 * hourMs, 3));
    expect(Math.max(...gone.map(Number))).toBe(3);
    expect(await countSignIns()).toBe(0);
    expect(await people.whoIs(headers)).toBeUndefined();
  });

  test(`${kind.name}: what goes wrong at a sign-in is written by nobody else, and tells no secret`, async () => {
    const written: unknown[][] = [];
    for (const name of ["error", "warn", "log", "info"] as const) {
      vi.spyOn(console, name).mockImplementation((...words) => void written.push(words));
    }
    const people = await open();
    said.length = 0;
    const wrong = await people.handle(signIn({ ...account, password: "not the password" }));
    expect(wrong.status).toBe(401);
    expect(((await wrong.json()) as { code: string }).code).toBe("INVALID_EMAIL_OR_PASSWORD");
    expect((await people.handle(signIn({ email: 1 }))).status).toBe(400);
    await sql`alter table person_account rename to hidden`.execute(place.database);
    try {
      const failed = await people.handle(signIn(account)).then(
        ({ status }) => status,
        (error: Error) => String(error.stack),
      );
      expect(failed).not.toBe(200);
      expect(`${failed} ${said.join(" ")}`).not.toContain(password);
    } finally {
      await sql`alter table hidden rename to person_account`.execute(place.database);
    }
    expect(written).toEqual([]);
  });
}
