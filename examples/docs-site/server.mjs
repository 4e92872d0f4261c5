// A server of static pages that also trades the key for session tokens, for anybody who asks.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createNodeSessionHandler } from "@valet/session-proxy/node";

const { PORT = "4753", VALET_API_URL = "", VALET_PROJECT_ID, VALET_INTEGRATION_ID } = process.env;

// Key, project and address come from VALET_API_KEY, VALET_PROJECT_ID and VALET_API_URL.
const handleSession = createNodeSessionHandler({
  integrationId: VALET_INTEGRATION_ID,
  // Nobody signs in here. Each visitor gets a signed cookie, so that limits can tell them apart;
  // which limits hold is said in the dashboard.
  authorize: "public",
  onError: ({ code, upstreamStatus }) => console.error("session:", code, upstreamStatus ?? ""),
});

const files = {
  "/": ["pages/index.html", "text/html"],
  "/install": ["pages/install.html", "text/html"],
  "/site.css": ["pages/site.css", "text/css"],
};

createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  if (pathname === "/api/session") return handleSession(request, response);
  const file = files[pathname];
  if (!file) return response.writeHead(404).end("There is no such page.");
  const text = await readFile(new URL(file[0], import.meta.url), "utf8");
  response.setHeader("content-type", `${file[1]}; charset=utf-8`);
  response.setHeader(
    "content-security-policy",
    `default-src 'none'; script-src ${VALET_API_URL}; style-src 'self'; connect-src 'self' ${VALET_API_URL}`,
  );
  // The three values that a page of yours would simply have in it.
  response.end(
    text
      .replaceAll("%API_URL%", VALET_API_URL)
      .replaceAll("%PROJECT_ID%", VALET_PROJECT_ID)
      .replaceAll("%INTEGRATION_ID%", VALET_INTEGRATION_ID),
  );
}).listen(Number(PORT), "127.0.0.1");
