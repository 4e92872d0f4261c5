// What a team adds to its own Express server: one route, behind the login that is there already.
import { randomUUID } from "node:crypto";
import { createSessionHandler } from "@valet/session-proxy";
import { toNodeHandler } from "@valet/session-proxy/node";
import express from "express";

const {
  PORT = "4754",
  VALET_API_KEY = "",
  VALET_API_URL = "",
  VALET_PROJECT_ID = "",
  VALET_INTEGRATION_ID = "",
} = process.env;

const app = express();
app.disable("x-powered-by");
app.use((_request, response, next) => {
  response.setHeader(
    "content-security-policy",
    `default-src 'none'; script-src ${VALET_API_URL}; connect-src 'self' ${VALET_API_URL}; form-action 'self'`,
  );
  next();
});

/** Stands for your login. Yours checks a password, or asks somebody who does. */
const sessions = new Map();
const cookieName = "example_session";
const findUser = (cookie = "") =>
  sessions.get(new RegExp(`(?:^|; )${cookieName}=([\\w-]+)`).exec(cookie)?.[1]);

app.post("/sign-in", express.urlencoded({ extended: false }), (request, response) => {
  const name = String(request.body.name ?? "").trim();
  if (name === "") return void response.redirect(303, "/");
  const id = randomUUID();
  sessions.set(id, { id: name.toLowerCase() });
  response.cookie(cookieName, id, { httpOnly: true, sameSite: "lax" }).redirect(303, "/");
});
app.post("/sign-out", (request, response) => {
  const id = new RegExp(`${cookieName}=([\\w-]+)`).exec(request.headers.cookie ?? "")?.[1];
  sessions.delete(id);
  response.clearCookie(cookieName).redirect(303, "/");
});

const handleSession = createSessionHandler({
  apiKey: VALET_API_KEY,
  projectId: VALET_PROJECT_ID,
  integrationId: VALET_INTEGRATION_ID,
  baseUrl: VALET_API_URL,
  // Whoever is signed in may chat. For everybody else it answers 401, and the page says so.
  authorize: (request) => findUser(request.headers.get("cookie") ?? ""),
  // The conversations are theirs, on every device. A page cannot choose this.
  owner: (_request, user) => user.id,
  onError: ({ code, upstreamStatus }) => console.error("session:", code, upstreamStatus ?? ""),
});
app.post("/api/session", toNodeHandler(handleSession));

app.get("/", (request, response) => {
  const user = findUser(request.headers.cookie);
  response.type("html").send(`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Session server</title>
    <script type="module" src="${VALET_API_URL}/sdk/valet-element.js"></script>
  </head>
  <body>
    <h1>${user ? "You are signed in" : "You are signed out"}</h1>
    ${
      user
        ? '<form method="post" action="/sign-out"><button>Sign out</button></form>'
        : '<form method="post" action="/sign-in"><label>Name <input name="name" required /></label> <button>Sign in</button></form>'
    }
    <valet-agent launcher enable-history project-id="${VALET_PROJECT_ID}" integration-id="${VALET_INTEGRATION_ID}"></valet-agent>
  </body>
</html>`);
});

app.listen(Number(PORT), "127.0.0.1");
