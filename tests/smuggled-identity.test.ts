import { afterAll, beforeAll, expect, test } from "vitest";
import { openTwoTenants, origin, owner, type TwoTenants } from "./support/two-tenants.ts";

let two: TwoTenants;
beforeAll(async () => {
  two = await openTwoTenants();
});
afterAll(() => two.close());

/** Headers by which other software lets a caller say who they are. */
function claims(): Record<string, string> {
  const { theirs } = two;
  return {
    "x-tenant-id": theirs.teamId,
    "x-team-id": theirs.teamId,
    "x-org-id": theirs.teamId,
    "x-project-id": theirs.projectId,
    "x-user-id": "eve",
    "x-external-owner-id": "user-2",
    "x-owner-id": "user-2",
    "x-forwarded-user": "eve",
    "x-remote-user": "eve",
    "x-session-id": theirs.sid,
    "x-valet-client-address": "203.0.113.1",
    external_owner_id: "user-2",
    team_id: theirs.teamId,
  };
}

/** The same as fields of a body or a query. */
function fields(): Record<string, string> {
  const { theirs } = two;
  return {
    tenant_id: theirs.teamId,
    tenantId: theirs.teamId,
    team_id: theirs.teamId,
    project_id: theirs.projectId,
    projectId: theirs.projectId,
    user_id: "eve",
    userId: "eve",
    owner: "user-2",
    external_owner_id: "user-2",
    owner_ref: "user-2",
    kid: theirs.kid,
    session_id: theirs.sid,
    only_sid: theirs.sid,
    is_admin: "true",
  };
}

async function send(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<{ status: number; body: string }> {
  const answer = await two.valet.fetch(`${origin}${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text.replace(/req_\w{22}|(?<="expires_in":)\d+/g, "0") };
}

/** Reads of every kind of credential, with the answer of which the claims must change nothing. */
function reads(): readonly (readonly [path: string, headers: Record<string, string>])[] {
  const { ours } = two;
  const agent = `/agent/v1/projects/${ours.projectId}/agent`;
  const session = { authorization: `Bearer ${ours.token}` };
  const key = { "x-api-key": ours.apiKey };
  const person = { origin, cookie: ours.cookie };
  return [
    [`${agent}/session`, session],
    [`${agent}/threads`, session],
    [`${agent}/threads/${ours.threadId}`, session],
    [`/sources/${ours.documentId}`, session],
    [`${agent}/sessions/${ours.sid}`, key],
    ["/admin/v1/me", person],
    ["/admin/v1/teams", person],
    ["/admin/v1/projects", person],
    [`/admin/v1/projects/${ours.projectId}/keys`, person],
    [`/admin/v1/projects/${ours.projectId}/integrations`, person],
  ];
}

test("a header that says who one is changes nothing", async () => {
  for (const [path, headers] of reads()) {
    const plain = await send("GET", path, headers);
    expect(plain.status, path).toBe(200);
    expect(await send("GET", path, { ...claims(), ...headers }), path).toEqual(plain);
  }
});

test("a header that says who one is does not stand in for a credential", async () => {
  for (const [path] of reads()) {
    const { status } = await send("GET", path, { ...claims(), origin });
    expect(status, path).toBe(401);
  }
});

test("a query that says who one is changes nothing or is refused", async () => {
  // `owner` and `key` are what sessions are listed by, within the project of the key.
  const query = new URLSearchParams(fields());
  for (const [path, headers] of reads()) {
    const plain = await send("GET", path, headers);
    const told = await send("GET", `${path}?${query}`, headers);
    if (told.status !== 400) expect(told, path).toEqual(plain);
  }
});

test("a field that says who one is is refused, whichever it is and wherever it stands", async () => {
  const { ours } = two;
  const agent = `/agent/v1/projects/${ours.projectId}/agent`;
  const session = { authorization: `Bearer ${ours.token}` };
  const key = { "x-api-key": ours.apiKey };
  const person = { origin, cookie: ours.cookie };
  const project = `/admin/v1/projects/${ours.projectId}`;
  const messages = [{ id: "u_1", role: "user", parts: [{ type: "text", text: "Hello?" }] }];
  /** What a route takes, and those of the fields that it has by intent. */
  type Case = readonly [string, Record<string, string>, object, readonly string[]];
  const writes: readonly Case[] = [
    [`${agent}/sessions`, key, {}, ["external_owner_id"]],
    [`${agent}/revocations`, key, { targets: [{ owner: "nobody" }] }, []],
    [`${agent}/chat`, session, { messages }, []],
    [`${agent}/threads/${ours.threadId}/feedback`, session, { message_id: "m", rating: "up" }, []],
    ["/admin/v1/projects", person, { name: "x" }, ["team_id"]],
    [`${project}/integrations`, person, { name: "x" }, []],
    [`${project}/keys`, person, { name: "x" }, []],
  ];
  for (const [path, headers, body, known] of writes) {
    for (const [name, value] of Object.entries(fields())) {
      if (known.includes(name)) continue;
      const told = await send("POST", path, headers, { ...body, [name]: value });
      expect(told.status, `${path} with ${name}`).toBe(400);
      expect(JSON.parse(told.body), `${path} with ${name}`).toMatchObject({
        code: "unknown_field",
        field: name,
      });
    }
  }
});

test("who `user` of a chat says one is gives no access to their conversations", async () => {
  const { ours } = two;
  const agent = `/agent/v1/projects/${ours.projectId}/agent`;
  const mint = await send(
    "POST",
    `${agent}/sessions`,
    { "x-api-key": ours.apiKey },
    {
      external_owner_id: "user-2",
    },
  );
  const { session_token: token } = JSON.parse(mint.body) as { session_token: string };
  const chat = await send(
    "POST",
    `${agent}/chat`,
    { authorization: `Bearer ${token}` },
    {
      id: ours.threadId,
      user: { id: owner, externalId: owner },
      messages: [{ id: "u_9", role: "user", parts: [{ type: "text", text: "Whose is this?" }] }],
    },
  );
  expect(chat.status).toBe(404);
});
