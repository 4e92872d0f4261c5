// The server of the example: three files, and the session endpoint. Only this process knows the key.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createNodeSessionHandler } from "@valet/session-proxy/node";

const { PORT = "4751", VALET_API_URL, VALET_PROJECT_ID, VALET_INTEGRATION_ID } = process.env;

/** Stands for your login: everybody who opens the page is somebody. */
const users = new Map();
function findUser(request) {
  const session = /(?:^|; )session=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1];
  return users.get(session);
}

// Key, project and address come from VALET_API_KEY, VALET_PROJECT_ID and VALET_API_URL.
const handleSession = createNodeSessionHandler({
  integrationId: VALET_INTEGRATION_ID,
  authorize: findUser,
  owner: (_request, user) => user.id,
  onError: ({ code, upstreamStatus }) => console.error("session:", code, upstreamStatus ?? ""),
});

const files = {
  "/": ["index.html", "text/html"],
  "/page.js": ["page.js", "text/javascript"],
  "/page.css": ["page.css", "text/css"],
};

createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  if (pathname === "/api/session") return handleSession(request, response);
  if (pathname === "/config.js") {
    // The ids are no secrets.
    const config = {
      apiUrl: VALET_API_URL,
      projectId: VALET_PROJECT_ID,
      integrationId: VALET_INTEGRATION_ID,
    };
    response.setHeader("content-type", "text/javascript");
    return response.end(`export const config = ${JSON.stringify(config)};\n`);
  }
  const file = files[pathname];
  if (!file) return response.writeHead(404).end("There is nothing here.");
  if (pathname === "/") {
    const session = randomUUID();
    users.set(session, { id: session });
    response.setHeader("set-cookie", `session=${session}; HttpOnly; SameSite=Lax; Path=/`);
  }
  response.setHeader("content-type", `${file[1]}; charset=utf-8`);
  response.setHeader(
    "content-security-policy",
    `default-src 'none'; script-src 'self' ${VALET_API_URL}; style-src 'self'; connect-src 'self' ${VALET_API_URL}`,
  );
  response.end(await readFile(new URL(file[0], import.meta.url)));
}).listen(Number(PORT), "127.0.0.1");
