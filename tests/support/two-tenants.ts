import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { ask, mintToken } from "./ask.ts";
import { openTestServer, type TestServer } from "./valet-server.ts";

/** One customer of a server, with one of everything. */
export interface Tenant {
  readonly cookie: string;
  readonly teamId: string;
  readonly apiKey: string;
  /** Of {@link owner}. */
  readonly token: string;
  readonly projectId: string;
  readonly kid: string;
  readonly integrationId: string;
  readonly sid: string;
  readonly threadId: string;
  readonly documentId: string;
  readonly sourceId: string;
}

/** Both customers have a person of this id: ids of owners mean nothing outside of their project. */
export const owner = "user-1";
export const origin = "http://localhost:4747";
export const password = "correct horse battery";

/** A server with two customers, each in a team of its own. */
export interface TwoTenants {
  readonly valet: TestServer;
  readonly ours: Tenant;
  readonly theirs: Tenant;
  /** Every statement that the database got since the server was started. */
  readonly statements: ReadonlySet<string>;
  close(): Promise<void>;
}

/** Opens one. */
export async function openTwoTenants(): Promise<TwoTenants> {
  const statements = new Set<string>();
  const valet = await openTestServer({}, { onStatement: (sql) => statements.add(sql) });
  statements.clear();
  const folder = mkdtempSync(join(tmpdir(), "valet-docs-"));
  writeFileSync(
    join(folder, "keys.md"),
    "# Keys\n\nRotate a key in the settings, under API keys.\n",
  );
  const ours = await makeTenant(valet, "ada", folder);
  const theirs = await makeTenant(valet, "eve", folder);
  expect(ours.teamId).not.toBe(theirs.teamId);
  return {
    valet,
    ours,
    theirs,
    statements,
    async close() {
      await valet.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function makeTenant(valet: TestServer, name: string, folder: string): Promise<Tenant> {
  const { url } = await valet.control.post<{ url: string }>("/setup-links");
  const code = url.slice(url.indexOf("#") + 1);
  const email = `${name}@example.com`;
  const made = await valet.fetch(`${origin}/admin/v1/setup`, {
    method: "POST",
    headers: { origin, "content-type": "application/json" },
    body: JSON.stringify({ code, name, email, password }),
  });
  expect(made.status).toBe(201);
  const cookies = made.headers.getSetCookie().map((line) => line.split(";")[0]);
  const cookie = cookies.join("; ");
  const admin = async <Answer>(path: string, body?: unknown): Promise<Answer> => {
    const answer = await valet.fetch(`${origin}/admin/v1${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { origin, cookie, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return (await answer.json()) as Answer;
  };
  const { projects } = await admin<{ projects: { id: string; team_id: string }[] }>("/projects");
  const { id: projectId = "", team_id: teamId = "" } = projects[0] ?? {};
  const base = `/projects/${projectId}`;
  const { integration } = await admin<{ integration: { id: string } }>(`${base}/integrations`, {
    name: "Page",
  });
  const { key, secret } = await admin<{ key: { id: string }; secret: string }>(`${base}/keys`, {
    name: "Server",
    keep_copy: true,
    scopes: [
      "sessions:create",
      "sessions:visitors",
      "sessions:read",
      "sessions:revoke",
      "introspect",
    ],
  });
  for await (const _ of valet.control.lines(`${base}/ingest`, { path: folder }));
  const { sources } = await valet.control.get<{ sources: { id: string }[] }>(`${base}/sources`);
  const theirServer = { ...valet, projectId, apiKey: secret };
  const token = await mintToken(theirServer, { external_owner_id: owner });
  const { threadId, sources: cited } = await ask(theirServer, token, "How do I rotate a key?");
  const documentId = /(doc_\w+)/.exec(cited[0]?.url ?? "")?.[1] ?? "";
  expect(documentId).not.toBe("");
  const me = await valet.fetch(`${origin}/agent/v1${base}/agent/session/`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { session_id: sid } = (await me.json()) as { session_id: string };
  return {
    cookie,
    teamId,
    apiKey: secret,
    token,
    projectId,
    kid: key.id,
    integrationId: integration.id,
    sid,
    threadId,
    documentId,
    sourceId: sources[0]?.id ?? "",
  };
}
