import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { listen } from "../../packages/server/src/http/listen.ts";
import { openTestServer, type TestServer } from "./valet-server.ts";

/** A session just made. */
export interface MintedSession {
  readonly session_token: string;
  readonly session_id: string;
}

/** A project of a stranger, with a key of its own. */
export interface OtherProject {
  readonly projectId: string;
  readonly apiKey: string;
  readonly kid: string;
  readonly base: string;
}

/** A real server that listens, as an attacker on the network finds it. */
export interface AttackedServer extends TestServer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  /** The project's agent path. */
  readonly base: string;
  /** The server's data folder. */
  readonly folder: string;
  /** Sends over HTTP; a path starts with `/`. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** Makes a session; fails the test when it cannot be made. */
  mint(body?: object, apiKey?: string): Promise<MintedSession>;
  /** Sends below the project's agent path with a session token. */
  as(token: string, path: string, init?: RequestInit): Promise<Response>;
  newKey(body?: object): Promise<{ id: string; secret: string }>;
  newProject(name: string): Promise<OtherProject>;
}

/** Opens one with a project, an integration and a key; on any free port unless `VALET_PORT` says. */
export async function openAttackedServer(
  variables: Record<string, string> = {},
  options: Parameters<typeof openTestServer>[1] = {},
): Promise<AttackedServer> {
  const valet = await openTestServer(variables, options);
  const http = await listen(
    valet.server.app,
    { port: Number(variables.VALET_PORT ?? 0), host: "127.0.0.1" },
    { quickAnswer: valet.server.quickAnswer },
  );
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const baseOf = (projectId: string) => `/agent/v1/projects/${projectId}/agent`;
  const base = baseOf(valet.projectId);
  const send = (path: string, init?: RequestInit) => fetch(`${url}${path}`, init);
  const newKey = (projectId: string, body: object) =>
    valet.control.post<{ id: string; secret: string }>(`/projects/${projectId}/keys`, body);

  return {
    ...valet,
    url,
    port,
    base,
    folder: valet.server.folder.path,
    send,
    async mint(body, apiKey = valet.apiKey) {
      const answer = await send(`${base}/sessions/`, {
        method: "POST",
        headers: { "x-api-key": apiKey, "content-type": "application/json" },
        body: JSON.stringify(body ?? {}),
      });
      expect(answer.status).toBe(201);
      return (await answer.json()) as MintedSession;
    },
    as: (token, path, init = {}) =>
      send(`${base}${path}`, {
        ...init,
        headers: {
          authorization: `Bearer ${token}`,
          ...(init.body === undefined ? {} : { "content-type": "application/json" }),
          ...init.headers,
        },
      }),
    newKey: (body = {}) => newKey(valet.projectId, { name: "Another", ...body }),
    async newProject(name) {
      const { project } = await valet.control.post<{ project: { id: string } }>("/projects", {
        name,
      });
      const { id, secret } = await newKey(project.id, { name: "Key" });
      return { projectId: project.id, apiKey: secret, kid: id, base: baseOf(project.id) };
    },
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await valet.close();
    },
  };
}

/** The body of a chat request that asks one question. */
export function question(text: string, more: object = {}): string {
  return JSON.stringify({
    messages: [{ id: crypto.randomUUID(), role: "user", parts: [{ type: "text", text }] }],
    ...more,
  });
}

/** The status and the code of an answer that is a problem. */
export async function problemOf(answer: Response | Promise<Response>): Promise<string> {
  const { status, headers } = await answer;
  const body = (await (await answer).json()) as { code?: string };
  expect(headers.get("content-type")).toContain("json");
  return `${status} ${body.code}`;
}
