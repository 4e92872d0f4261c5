import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApiKey } from "../packages/server/src/api-keys/api-key-format.ts";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

let valet: TestServer;
let base: string;
let token: string;

beforeAll(async () => {
  valet = await openTestServer();
  base = `http://valet.test/agent/v1/projects/${valet.projectId}/agent`;
  token = (await mint()).session_token;
});
afterAll(() => valet.close());

async function mint(): Promise<{ session_token: string; session_id: string }> {
  const answer = await send("/sessions/", { headers: { "x-api-key": valet.apiKey } });
  return (await answer.json()) as { session_token: string; session_id: string };
}

function send(path: string, init: RequestInit = {}): Promise<Response> {
  const url = path.startsWith("/agent") ? `http://valet.test${path}` : `${base}${path}`;
  return valet.fetch(url, { method: "POST", ...init });
}

function chat(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return send("/chat/", {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

const question = (text: string) => ({
  messages: [{ id: "m1", role: "user", parts: [{ type: "text", text }] }],
});

interface ProblemBody {
  readonly code: string;
  readonly status: number;
  readonly field?: string;
  readonly request_id: string;
}

async function problem(answer: Response): Promise<ProblemBody> {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const body = (await answer.json()) as ProblemBody;
  expect(body.status).toBe(answer.status);
  expect(body.request_id).toBe(answer.headers.get("x-request-id"));
  return body;
}

describe("an API key", () => {
  test.each([
    ["missing", {}, 401, "missing_credential"],
    ["malformed", { "x-api-key": "secret" }, 401, "invalid_api_key"],
    ["unknown", { "x-api-key": createApiKey().text }, 401, "invalid_api_key"],
  ])("that is %s is a 401 with its code", async (_name, headers, status, code) => {
    const answer = await send("/sessions/", { headers: headers as Record<string, string> });
    expect(answer.status).toBe(status);
    expect((await problem(answer)).code).toBe(code);
  });

  test("that was revoked is a 401 with its code", async () => {
    const { id, secret } = await valet.control.post<{ id: string; secret: string }>(
      `/projects/${valet.projectId}/keys`,
      { name: "Old" },
    );
    await valet.control.post(`/projects/${valet.projectId}/keys/${id}/revoke`);
    const answer = await send("/sessions/", { headers: { "x-api-key": secret } });
    expect(answer.status).toBe(401);
    expect((await problem(answer)).code).toBe("key_revoked");
  });

  test("of another project is a 404, told like a project that does not exist", async () => {
    const { project } = await valet.control.post<{ project: { id: string } }>("/projects", {
      name: "Other",
    });
    const bodies = [];
    for (const id of [project.id, "prj_nowhere"]) {
      const answer = await send(`/agent/v1/projects/${id}/agent/sessions/`, {
        headers: { "x-api-key": valet.apiKey },
      });
      expect(answer.status).toBe(404);
      const { request_id: _, ...body } = await problem(answer);
      bodies.push(body);
    }
    expect(bodies[0]).toEqual(bodies[1]);
  });

  test.each([
    ["Origin", { origin: "https://shop.example" }],
    ["Sec-Fetch-Site", { "sec-fetch-site": "cross-site" }],
  ])("sent from a page, as %s tells, is a 403 that the page cannot read", async (_name, page) => {
    const answer = await send("/sessions/", {
      headers: { "x-api-key": valet.apiKey, ...(page as Record<string, string>) },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    expect((await problem(answer)).code).toBe("api_key_in_browser");
  });

  test("sent with Sec-Fetch-Mode alone is a server's, because Node.js sends it", async () => {
    const answer = await send("/sessions/", {
      headers: { "x-api-key": valet.apiKey, "sec-fetch-mode": "cors" },
    });
    expect(answer.status).toBe(201);
  });
});

describe("a session token", () => {
  async function refusal(headers: Record<string, string>): Promise<string> {
    const answer = await send("/chat/", {
      headers: { origin: "https://shop.example", ...headers },
      body: "{}",
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-expose-headers")).toContain("retry-after");
    expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer realm="valet"/);
    return (await problem(answer)).code;
  }

  test("that is missing or malformed is a 401 that a page on another origin can read", async () => {
    expect(await refusal({})).toBe("missing_credential");
    for (const text of ["Bearer", "Bearer x", `Bearer ${token}x`, `Basic ${token}`, token]) {
      expect(await refusal({ authorization: text })).toBe("invalid_token");
    }
  });

  test("that was revoked is a 401 that a page on another origin can read", async () => {
    const session = await mint();
    const ended = await send(`/sessions/${session.session_id}/`, {
      method: "DELETE",
      headers: { "x-api-key": valet.apiKey },
    });
    expect(ended.status).toBe(200);
    expect(await refusal({ authorization: `Bearer ${session.session_token}` })).toBe(
      "token_revoked",
    );
  });

  test("that expired is a 401 that a page on another origin can read", async () => {
    const { session_token: old } = await mint();
    valet.clock.ms += 3_601_000;
    expect(await refusal({ authorization: `Bearer ${old}` })).toBe("token_expired");
    token = (await mint()).session_token;
  });

  test("in a query string is a 400, even when it is good", async () => {
    for (const name of ["token", "access_token", "session_token", "x"]) {
      const answer = await send(`/session/?${name}=${token}`, { method: "GET" });
      expect(answer.status).toBe(400);
      expect((await problem(answer)).code).toBe("credential_in_query");
    }
  });

  test("beside an API key is a 400", async () => {
    const answer = await chat(question("hi"), { "x-api-key": valet.apiKey });
    expect(answer.status).toBe(400);
    expect((await problem(answer)).code).toBe("ambiguous_credentials");
  });

  test("of another project is a 404", async () => {
    const answer = await send("/agent/v1/projects/prj_other/agent/session/", {
      method: "GET",
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(404);
  });
});

describe("a preflight", () => {
  test("of a browser route is allowed from every origin, and one of a key route is not", async () => {
    const preflight = (path: string) =>
      send(path, {
        method: "OPTIONS",
        headers: {
          origin: "https://shop.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type",
        },
      });
    for (const path of ["/chat/", "/chat", "/session/", "/threads/", "/chat/thr_1/stop/"]) {
      const answer = await preflight(path);
      expect([path, answer.status]).toEqual([path, 204]);
      expect(answer.headers.get("access-control-allow-headers")).toContain("authorization");
    }
    const refused = await preflight("/sessions/");
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("a body", () => {
  test("that is too large is a 413", async () => {
    const minted = await send("/sessions/", {
      headers: { "x-api-key": valet.apiKey, "content-type": "application/json" },
      body: JSON.stringify({ metadata: { text: "x".repeat(20_000) } }),
    });
    expect(minted.status).toBe(413);
    expect((await problem(minted)).code).toBe("body_too_large");
    const asked = await chat(question("x".repeat(400_000)));
    expect(asked.status).toBe(413);
  });

  test("of the wrong type is a 415", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      const answer = await chat(question("hi"), { "content-type": type });
      expect(answer.status).toBe(415);
      expect((await problem(answer)).code).toBe("unsupported_media_type");
    }
  });

  test("with an unknown field is a 400 that names it", async () => {
    const minted = await send("/sessions/", {
      headers: { "x-api-key": valet.apiKey, "content-type": "application/json" },
      body: JSON.stringify({ external_owner: "u1" }),
    });
    expect(minted.status).toBe(400);
    expect(await problem(minted)).toMatchObject({ code: "unknown_field", field: "external_owner" });
    const asked = await chat({ ...question("hi"), sourceGroupIDsInclude: [] });
    expect(asked.status).toBe(400);
    expect(await problem(asked)).toMatchObject({
      code: "unknown_field",
      field: "sourceGroupIDsInclude",
    });
  });

  test("that is not JSON, or names what does not exist, is a 400", async () => {
    expect((await problem(await chat("{"))).code).toBe("invalid_request");
    const minted = await send("/sessions/", {
      headers: { "x-api-key": valet.apiKey, "content-type": "application/json" },
      body: JSON.stringify({ integration_id: "int_nowhere" }),
    });
    expect(await problem(minted)).toMatchObject({
      code: "invalid_request",
      field: "integration_id",
    });
  });
});

describe("a question", () => {
  test.each([
    ["empty", ""],
    ["blank", "  \n "],
    ["of 100 kB", "word ".repeat(20_000)],
  ])("that is %s is a 400", async (_name, text) => {
    const answer = await chat(question(text));
    expect(answer.status).toBe(400);
    expect((await problem(answer)).code).toBe("invalid_request");
  });

  test("without a message at all is a 400", async () => {
    const answer = await chat({ messages: [] });
    expect(answer.status).toBe(400);
  });
});

test("a session gets as many turns as it was made with, and then a readable 429", async () => {
  const minted = await send("/sessions/", {
    headers: { "x-api-key": valet.apiKey, "content-type": "application/json" },
    body: JSON.stringify({ limits: { turns: 1 } }),
  });
  const { session_token: narrow } = (await minted.json()) as { session_token: string };
  const ask = (id: string) =>
    send("/chat/", {
      headers: { authorization: `Bearer ${narrow}`, "content-type": "application/json" },
      body: JSON.stringify({
        messages: [{ id, role: "user", parts: [{ type: "text", text: "What is a bee?" }] }],
      }),
    });
  const first = await ask("a");
  expect(first.status).toBe(200);
  await first.text();
  const second = await ask("b");
  expect(second.status).toBe(429);
  expect(second.headers.get("access-control-allow-origin")).toBe("*");
  expect((await problem(second)).code).toBe("budget_exhausted");
});

test("an address that does not exist is a 404 problem, with and without a slash", async () => {
  for (const path of ["/nothing", "/nothing/"]) {
    const answer = await send(path, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(404);
    expect((await problem(answer)).code).toBe("not_found");
  }
});

test("no stack trace and no credential stands in any log line of all this", () => {
  const log = valet.log();
  expect(log.length).toBeGreaterThan(1000);
  expect(log).not.toContain(valet.apiKey);
  expect(log).not.toContain(token);
  expect(log).not.toMatch(/agk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]/);
  expect(log).not.toMatch(/S[0-9A-Za-z]{63}/);
});

test("the character U+0000 is no fault: where the database cannot keep it, it is refused, and a question may have it", async () => {
  const isKept = process.env.VALET_TEST_ON !== "PostgreSQL";
  const withKey = { "x-api-key": valet.apiKey };
  const owner = { external_owner_id: "a\u0000b" };
  const made = await send("/sessions/", {
    headers: { ...withKey, "content-type": "application/json" },
    body: JSON.stringify(owner),
  });
  expect(made.status).toBe(isKept ? 201 : 400);
  if (!isKept) expect((await problem(made)).code).toBe("invalid_request");
  const looked = await send("/sessions/ses_%00/", { method: "GET", headers: withKey });
  expect(looked.status).toBe(isKept ? 404 : 400);
  const asked = await chat(question("What is \u0000 a pump?"));
  expect(asked.status).toBe(200);
  expect(await asked.text()).toContain('"type":"finish"');
});
