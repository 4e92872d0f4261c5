import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type AttackedServer,
  type OtherProject,
  openAttackedServer,
  question,
} from "../support/attacked-server.ts";

/** T16: a tenant's or a person's id smuggled in through a header, a query or a body. */
let server: AttackedServer;
let other: OtherProject;
let token: string;
beforeAll(async () => {
  server = await openAttackedServer();
  other = await server.newProject("Other");
  token = (await server.mint({ external_owner_id: "jo" })).session_token;
});
afterAll(() => server.close());

const names = [
  "x-tenant-id",
  "x-project-id",
  "x-user-id",
  "x-owner-id",
  "x-external-owner-id",
  "x-session-id",
  "x-valet-client-address",
  "x-original-url",
  "x-rewrite-url",
  "x-forwarded-user",
  "x-http-method-override",
  "user",
];

test("no header or parameter changes whom a session stands for", async () => {
  const plain = await (await server.as(token, "/session/")).json();
  const values = [other.projectId, "al", other.base, "DELETE"];
  for (const name of names) {
    for (const value of values) {
      const byHeader = await server.as(token, "/session/", { headers: { [name]: value } });
      expect([name, byHeader.status, await byHeader.json()]).toEqual([
        name,
        200,
        { ...(plain as object), limits: expect.anything(), expires_in: expect.any(Number) },
      ]);
    }
  }
  for (const name of ["projectId", "project_id", "owner", "external_owner_id", "userId", "sid"]) {
    const byQuery = await server.as(token, `/session/?${name}=${other.projectId}`);
    expect([name, await byQuery.json()]).toEqual([
      name,
      expect.objectContaining({ project_id: server.projectId, external_owner_id: "jo" }),
    ]);
  }
});

test("a body that names a tenant or a person is refused by the name of its field", async () => {
  for (const name of [
    "userId",
    "projectId",
    "project_id",
    "tenantId",
    "external_owner_id",
    "owner",
    "sid",
    "kid",
  ]) {
    const chat = await server.as(token, "/chat/", {
      method: "POST",
      body: question("Hi", { [name]: other.projectId }),
    });
    expect([name, await chat.json()]).toEqual([
      name,
      expect.objectContaining({ code: "unknown_field", field: name }),
    ]);
  }
  for (const name of ["userId", "projectId", "project_id", "tenant_id", "key", "kid", "scopes"]) {
    const mint = await server.send(`${server.base}/sessions/`, {
      method: "POST",
      headers: { "x-api-key": server.apiKey, "content-type": "application/json" },
      body: JSON.stringify({ [name]: other.projectId }),
    });
    expect([name, await mint.json()]).toEqual([
      name,
      expect.objectContaining({ code: "unknown_field", field: name }),
    ]);
  }
});

test("nobody signs in, or makes an account, by naming an id", async () => {
  const headers = { "content-type": "application/json", origin: "http://localhost:4747" };
  const made = await server.fetch("http://localhost:4747/admin/v1/projects", {
    method: "POST",
    headers: { ...headers, "x-user-id": "1", cookie: "valet.session_token=1" },
    body: JSON.stringify({ name: "Mine", userId: "1" }),
  });
  expect(made.status).toBe(401);
  for (const path of ["/sign-up/email", "/admin/create-user", "/api-key/create", "/update-user"]) {
    const answer = await server.fetch(`http://localhost:4747/admin/v1/auth${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify({
        name: "x",
        email: "x@example.com",
        password: "long enough 1",
        userId: "1",
      }),
    });
    expect([401, 404]).toContain(answer.status);
    expect(answer.headers.getSetCookie()).toEqual([]);
  }
});
