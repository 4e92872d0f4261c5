import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createSessionHandler } from "@valet/session-proxy";
import { toNodeHandler } from "@valet/session-proxy/node";
import { createDemoUsers } from "./demo-user.ts";
import { readPageFile } from "./page-files.ts";

/** What a customer's server knows of Valet. Only `apiKey` is a secret. */
export interface DemoOptions {
  readonly apiKey: string;
  readonly projectId: string;
  readonly integrationId: string;
  /** Address of the Valet server. */
  readonly apiUrl: string;
  /** The built page. */
  readonly pageFolder: string;
  /** Told what goes wrong between this server and the Valet server. */
  readonly onError?: (message: string) => void;
}

/**
 * A small customer's app: a page with a chat, and the session endpoint behind its login. This is
 * all that a team adds to its own server.
 */
export function createDemoServer({
  apiKey,
  projectId,
  integrationId,
  apiUrl,
  pageFolder,
  onError = () => undefined,
}: DemoOptions): Server {
  const users = createDemoUsers(apiKey);
  const handleSession = toNodeHandler(
    createSessionHandler({
      apiKey,
      projectId,
      integrationId,
      baseUrl: apiUrl,
      authorize: (request) => users.read(request.headers.get("cookie")),
      owner: (_request, user) => user,
      onError: ({ code, upstreamStatus, upstreamCode }) =>
        onError(
          [code, upstreamStatus, upstreamCode].filter((part) => part !== undefined).join(" "),
        ),
    }),
  );
  // The page loads nothing from elsewhere and talks to this server and the Valet server alone.
  const policy = [
    "default-src 'self'",
    `connect-src 'self' ${new URL(apiUrl).origin}`,
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://demo").pathname;
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("referrer-policy", "no-referrer");
    if (path === "/api/session") return handleSession(request, response);
    if (path === "/healthz") return sendJson(response, 200, { status: "ok" });
    if (request.method !== "GET" && request.method !== "HEAD") {
      return sendJson(response, 405, { error: "Only GET." });
    }
    if (path === "/config.json") return sendJson(response, 200, { projectId, integrationId });
    const file = await readPageFile(pageFolder, path);
    if (!file) return sendJson(response, 404, { error: "There is nothing here." });
    if (path === "/" && users.read(request.headers.cookie ?? null) === undefined) {
      response.setHeader("set-cookie", users.create());
    }
    response.setHeader("content-security-policy", policy);
    response.setHeader("content-type", file.contentType);
    response.setHeader("cache-control", "no-cache");
    response.end(file.bytes);
  }

  return createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      onError(error instanceof Error ? error.message : String(error));
      if (!response.headersSent) sendJson(response, 500, { error: "Something went wrong." });
    });
  });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.setHeader("cache-control", "no-store");
  response.end(JSON.stringify(body));
}
