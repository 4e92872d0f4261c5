/** An error that the server told, or that kept it from telling anything. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** Stable code of the server, or `network_error`. */
  readonly code: string;
  readonly status: number;
  /** The field of a form that is wrong. */
  readonly field: string | undefined;

  constructor(code: string, message: string, status = 0, field?: string) {
    super(message);
    this.code = code;
    this.status = status;
    this.field = field;
  }
}

/** Somebody who is signed in. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** A project of this server. */
export interface Project {
  readonly id: string;
  readonly name: string;
  /** Whether `npm start` made it. */
  readonly demo: boolean;
  readonly created_at: string;
}

/** An API key, without its text. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly masked: string;
  /** `in_grace` was replaced and still works; `rotated` was replaced and does not. */
  readonly state: "active" | "in_grace" | "rotated" | "expired" | "disabled" | "revoked";
  readonly created_at: string;
  readonly created_by: string | null;
  readonly last_used_at: string | null;
  readonly expires_at: string | null;
  readonly grace_until: string | null;
  readonly revoked_at: string | null;
  readonly keeps_copy: boolean;
  readonly live_sessions: number;
  readonly open_streams: number;
}

/** An Agent integration. */
export interface Integration {
  readonly id: string;
  readonly name: string;
  readonly kind: "agent";
  readonly created_at: string;
}

/** What the server says about itself. */
export interface ServerFacts {
  readonly version: string;
  readonly public_url: string | null;
  /** Where each package of the SDK stands, by name. */
  readonly sdk_packages: Readonly<Record<string, string>>;
  readonly browser_bundle: string;
}

/** All that the dashboard asks of the server. The one place that talks HTTP. */
export interface Api {
  hasAccounts(): Promise<boolean>;
  setUp(account: { code: string; name: string; email: string; password: string }): Promise<void>;
  signIn(email: string, password: string): Promise<void>;
  signOut(): Promise<void>;
  me(): Promise<Person>;
  server(): Promise<ServerFacts>;
  projects(): Promise<Project[]>;
  createProject(name: string): Promise<Project>;
  keys(projectId: string): Promise<ApiKey[]>;
  createKey(
    projectId: string,
    key: { name: string; keep_copy: boolean },
  ): Promise<{ key: ApiKey; secret: string }>;
  key(projectId: string, id: string): Promise<ApiKey>;
  revealKey(projectId: string, id: string, password: string): Promise<string>;
  revokeKey(
    projectId: string,
    id: string,
  ): Promise<{ key: ApiKey; ended_sessions: number; ended_streams: number }>;
  integrations(projectId: string): Promise<Integration[]>;
  integration(projectId: string, id: string): Promise<Integration>;
  createIntegration(projectId: string, name: string): Promise<Integration>;
}

const base = "/admin/v1";

/** Creates the client. @param send Sends the requests; the browser's `fetch` by default. */
export function createApi(send: typeof fetch = (input, init) => fetch(input, init)): Api {
  async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await send(`${base}${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    }).catch(() => {
      throw new ApiError("network_error", "The server does not answer. Is it running?");
    });
    const data = (await answer.json().catch(() => undefined)) as Answer;
    if (!answer.ok) throw toApiError(answer.status, data);
    return data;
  }
  const project = (id: string) => `/projects/${encodeURIComponent(id)}`;
  const keyPath = (projectId: string, id: string) =>
    `${project(projectId)}/keys/${encodeURIComponent(id)}`;

  return {
    hasAccounts: async () => (await call<{ accounts: boolean }>("GET", "/setup")).accounts,
    setUp: (account) => call("POST", "/setup", account),
    signIn: (email, password) => call("POST", "/auth/sign-in/email", { email, password }),
    signOut: () => call("POST", "/auth/sign-out", {}),
    me: async () => (await call<{ user: Person }>("GET", "/me")).user,
    server: () => call("GET", "/server"),
    projects: async () => (await call<{ projects: Project[] }>("GET", "/projects")).projects,
    createProject: async (name) =>
      (await call<{ project: Project }>("POST", "/projects", { name })).project,
    keys: async (id) => (await call<{ keys: ApiKey[] }>("GET", `${project(id)}/keys`)).keys,
    createKey: (id, key) => call("POST", `${project(id)}/keys`, key),
    key: async (projectId, id) => (await call<{ key: ApiKey }>("GET", keyPath(projectId, id))).key,
    revealKey: async (projectId, id, password) =>
      (await call<{ secret: string }>("POST", `${keyPath(projectId, id)}/reveal`, { password }))
        .secret,
    revokeKey: (projectId, id) => call("POST", `${keyPath(projectId, id)}/revoke`, {}),
    integrations: async (id) =>
      (await call<{ integrations: Integration[] }>("GET", `${project(id)}/integrations`))
        .integrations,
    integration: async (projectId, id) =>
      (
        await call<{ integration: Integration }>(
          "GET",
          `${project(projectId)}/integrations/${encodeURIComponent(id)}`,
        )
      ).integration,
    createIntegration: async (projectId, name) =>
      (
        await call<{ integration: Integration }>("POST", `${project(projectId)}/integrations`, {
          name,
        })
      ).integration,
  };
}

function toApiError(status: number, body: unknown): ApiError {
  const { code, title, detail, message, field } = (body ?? {}) as Record<string, unknown>;
  const words = [detail, message, title].find((text) => typeof text === "string");
  return new ApiError(
    typeof code === "string" ? code.toLowerCase() : "unknown_error",
    typeof words === "string" ? words : `The server answered with status ${status}.`,
    status,
    typeof field === "string" ? field : undefined,
  );
}

/** The client that the pages use. */
export const api: Api = createApi();
