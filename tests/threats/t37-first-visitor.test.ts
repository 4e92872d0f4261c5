import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "../../packages/server/src/config.ts";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";
import { cookiesOf, password, setupCode } from "../support/people.ts";

/** T37: whoever comes first takes a fresh server over. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const post = (path: string, body: object) =>
  server.fetch(`http://localhost:4747${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: "http://localhost:4747" },
    body: JSON.stringify(body),
  });
const account = { name: "Eve", email: "eve@example.com", password };

test("a fresh server has no account, makes none without the code of its terminal, and knows no default one", async () => {
  const accounts = async () =>
    (await (await server.send("/admin/v1/setup")).json()) as { accounts: boolean };
  expect(await accounts()).toEqual({ accounts: false });
  for (const code of ["", "setup", "0", "A".repeat(32), server.apiKey]) {
    const { status } = await post("/admin/v1/setup", { ...account, code });
    expect([400, 403]).toContain(status);
  }
  expect((await post("/admin/v1/setup", account)).status).toBe(400);
  for (const [email, secret] of [
    ["admin@example.com", "admin"],
    ["admin@localhost", "password1234"],
    ["valet@example.com", "valet"],
  ]) {
    const answer = await post("/admin/v1/auth/sign-in/email", { email, password: secret });
    expect(answer.status).not.toBe(200);
    expect(cookiesOf(answer)).toBe("");
  }
  expect(await accounts()).toEqual({ accounts: false });
});

test("a code makes one account, and none of ten that use it at once makes a second", async () => {
  const code = await setupCode(server);
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      post("/admin/v1/setup", { ...account, email: `eve${at}@example.com`, code }),
    ),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 403)).toHaveLength(9);
});

test("a server listens on this machine alone unless it is told otherwise", () => {
  expect(readConfig({}).host).toBe("127.0.0.1");
});
