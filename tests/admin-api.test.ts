import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

const origin = "http://localhost:4747";
const password = "correct horse battery";
let valet: TestServer;
let cookie: string;

beforeAll(async () => {
  valet = await openTestServer();
  const answer = await call("POST", "/admin/v1/setup", {
    code: await setupCode(),
    name: "Ada",
    email: "ada@example.com",
    password,
  });
  expect(answer.status).toBe(201);
  cookie = cookieOf(answer);
});
afterAll(() => valet.close());

async function setupCode(): Promise<string> {
  const { url } = await valet.control.post<{ url: string }>("/setup-links");
  expect(url.startsWith(`${origin}/setup#`)).toBe(true);
  return url.slice(url.indexOf("#") + 1);
}

function cookieOf(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
}

function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return valet.fetch(`${origin}${path}`, {
    method,
    headers: {
      origin,
      ...(cookie === undefined ? {} : { cookie }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function json<Body>(answer: Response | Promise<Response>): Promise<Body> {
  return (await (await answer).json()) as Body;
}

interface Key {
  readonly id: string;
  readonly masked: string;
  readonly keeps_copy: boolean;
  readonly live_sessions: number;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

const keysPath = () => `/admin/v1/projects/${valet.projectId}/keys`;

function makeKey(body: unknown): Promise<{ key: Key; secret: string }> {
  return json(call("POST", keysPath(), body));
}

function mint(secret: string): Promise<Response> {
  return valet.fetch(`${origin}/agent/v1/projects/${valet.projectId}/agent/sessions/`, {
    method: "POST",
    headers: { "x-api-key": secret },
  });
}

test("a set-up link makes one account and signs it in; used again it does nothing", async () => {
  const code = await setupCode();
  const account = { name: "Bob", email: "bob@example.com", password: "another long one" };
  expect((await call("POST", "/admin/v1/setup", { code, ...account })).status).toBe(201);
  const again = await call("POST", "/admin/v1/setup", {
    code,
    ...account,
    email: "eve@example.com",
  });
  expect(again.status).toBe(403);
  expect(await json(again)).toMatchObject({ code: "invalid_setup_code" });
  const { user } = await json<{ user: { email: string } }>(call("GET", "/admin/v1/me"));
  expect(user.email).toBe("ada@example.com");
});

test("a form that is not right names its field and does not spend the link", async () => {
  const code = await setupCode();
  const account = { code, name: "Cy", email: "cy@example.com", password: "a long password" };
  const wrong = [
    ["password", "short"],
    ["email", "not-an-address"],
    ["email", "ada@example.com"],
    ["name", " "],
  ];
  for (const [field, value] of wrong) {
    const answer = await call("POST", "/admin/v1/setup", { ...account, [field ?? ""]: value });
    expect(answer.status).toBe(400);
    expect(await json(answer)).toMatchObject({ code: "invalid_request", field });
  }
  expect((await call("POST", "/admin/v1/setup", account)).status).toBe(201);
});

test("nobody makes an account without a link", async () => {
  for (const path of ["/admin/v1/auth/sign-up/email", "/admin/v1/auth/sign-up/email/"]) {
    const answer = await call("POST", path, {
      name: "Eve",
      email: "eve@example.com",
      password: "a long password",
    });
    expect(answer.status).toBe(404);
  }
});

test("signing in with the right password works, with a wrong one it does not", async () => {
  const signIn = (text: string) =>
    call("POST", "/admin/v1/auth/sign-in/email", { email: "ada@example.com", password: text });
  expect((await signIn("wrong password")).status).toBe(401);
  const answer = await signIn(password);
  expect(answer.status).toBe(200);
  for (const line of answer.headers.getSetCookie()) {
    expect(line).toMatch(/HttpOnly/i);
    expect(line).toMatch(/SameSite=Lax/i);
  }
});

test("guesses at a password are limited by address, whatever the client claims", async () => {
  const statuses = [];
  for (let round = 0; round < 14; round += 1) {
    const answer = await call(
      "POST",
      "/admin/v1/auth/sign-in/email",
      { email: "ada@example.com", password: "wrong password" },
      { "x-forwarded-for": `203.0.113.${round}`, "x-valet-client-address": `203.0.113.${round}` },
    );
    statuses.push(answer.status);
  }
  expect(statuses).toContain(429);
});

test("without a sign-in every admin route is a 401", async () => {
  for (const path of ["/admin/v1/me", "/admin/v1/projects", keysPath(), "/admin/v1/server"]) {
    const answer = await call("GET", path, undefined, { cookie: "" });
    expect(answer.status).toBe(401);
    expect(await json(answer)).toMatchObject({ code: "sign_in_required" });
  }
});

test("another site's page can change nothing with a person's cookie", async () => {
  const answer = await call("POST", keysPath(), { name: "x" }, { origin: "https://evil.example" });
  expect(answer.status).toBe(403);
  expect(await json(answer)).toMatchObject({ code: "cross_site_request" });
  expect(answer.headers.get("access-control-allow-origin")).toBeNull();
});

test("a key made in the dashboard works, and its text is in the answer and nowhere else", async () => {
  const { key, secret } = await makeKey({ name: "Production" });
  expect(key).toMatchObject({ keeps_copy: false, last_used_at: null, revoked_at: null });
  expect(key.masked).toBe(`agk_live_${key.id}_…`);
  expect((await mint(secret)).status).toBe(201);
  const listed = await (await call("GET", keysPath())).text();
  expect(listed).toContain(key.id);
  expect(listed).not.toContain(secret.slice(22));
  expect(await json(call("GET", `${keysPath()}/${key.id}`))).toMatchObject({
    key: { live_sessions: 1 },
  });
  const reveal = await call("POST", `${keysPath()}/${key.id}/reveal`, { password });
  expect(reveal.status).toBe(409);
});

test("a kept copy is shown again for the password, and every look is audited", async () => {
  const { key, secret } = await makeKey({ name: "Kept", keep_copy: true });
  const path = `${keysPath()}/${key.id}/reveal`;
  const refused = await call("POST", path, { password: "wrong password" });
  expect(refused.status).toBe(403);
  expect(await json(refused)).toMatchObject({ code: "wrong_password" });
  expect(await json(call("POST", path, { password }))).toEqual({ secret });
});

test("revoking a key says what it cut, ends its sessions, and repeats in peace", async () => {
  const { key, secret } = await makeKey({ name: "Short-lived" });
  const { session_token: token } = await json<{ session_token: string }>(mint(secret));
  await mint(secret);
  const path = `${keysPath()}/${key.id}/revoke`;
  expect(await json(call("POST", path, {}))).toMatchObject({ ended_sessions: 2, ended_streams: 0 });
  expect((await mint(secret)).status).toBe(401);
  const answer = await valet.fetch(
    `${origin}/agent/v1/projects/${valet.projectId}/agent/session/`,
    { headers: { authorization: `Bearer ${token}` } },
  );
  expect(await json(answer)).toMatchObject({ code: "token_revoked" });
  expect(await json(call("POST", path, {}))).toMatchObject({ ended_sessions: 0 });
});

test("integrations are made and read back; those of other projects do not exist", async () => {
  const path = `/admin/v1/projects/${valet.projectId}/integrations`;
  const { integration } = await json<{ integration: { id: string; name: string } }>(
    call("POST", path, { name: "Docs page" }),
  );
  expect(await json(call("GET", `${path}/${integration.id}`))).toEqual({ integration });
  const { project } = await json<{ project: { id: string } }>(
    call("POST", "/admin/v1/projects", { name: "Second" }),
  );
  const foreign = `/admin/v1/projects/${project.id}/integrations/${integration.id}`;
  expect((await call("GET", foreign)).status).toBe(404);
  expect((await call("POST", path, { name: " " })).status).toBe(400);
});

test("no password, code, key or cookie stands in the log", () => {
  const log = valet.log();
  expect(log).toContain("/admin/v1/setup");
  expect(log).not.toContain(password);
  expect(log).not.toMatch(/agk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]/);
  expect(log).not.toContain(cookie.split("=")[1]);
});
