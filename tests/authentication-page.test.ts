import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseSessionReply } from "../packages/agent-core/src/session-tokens/session-reply.ts";
import { createSessionHandler } from "../packages/session-proxy/src/index.ts";
import { openBrowser } from "./support/browser.ts";
import { root } from "./support/programs.ts";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

/** Every snippet of docs/authentication.md, taken from the page and run. */
const page = readFileSync(join(root, "docs", "authentication.md"), "utf8");
const snippets = [...page.matchAll(/```(\w+)\n([\s\S]*?)\n```/g)].map(
  ([, language = "", code = ""]) => ({ language, code }),
);
const ran = new Set<string>();
const folder = mkdtempSync(join(tmpdir(), "valet-page-"));
const servers: Server[] = [];
let valet: TestServer;
let apiUrl: string;
let browser: Browser | undefined;

/** The one snippet of a language that fits. */
function snippet(language: string, part: string | RegExp): string {
  const found = snippets.filter(
    (each) => each.language === language && each.code.search(part) >= 0,
  );
  expect(found).toHaveLength(1);
  const code = found[0]?.code ?? "";
  ran.add(code);
  return code;
}

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

beforeAll(async () => {
  valet = await openTestServer({ VALET_PUBLIC_URL: "https://valet.example.com" });
  apiUrl = await listen(createAdaptorServer({ fetch: valet.server.app.fetch }) as Server);
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers) server.close();
  await valet.close();
  rmSync(folder, { recursive: true, force: true });
});

const environment = () => ({
  VALET_API_URL: apiUrl,
  VALET_PROJECT_ID: valet.projectId,
  VALET_API_KEY: valet.apiKey,
});

test("the session endpoint answers as the page shows, field by field", async () => {
  const [line = "", ...headers] = snippet("http", /^POST \/agent/).split("\n");
  const [method = "", path = ""] = line.split(" ");
  const answer = await fetch(apiUrl + path.replace("{projectId}", valet.projectId), {
    method,
    headers: Object.fromEntries(
      headers.map((header) => {
        const [name = "", value = ""] = header.split(": ");
        return [name, value.replace("your-api-key", valet.apiKey)];
      }),
    ),
  });
  expect(answer.status).toBe(201);
  const shown = JSON.parse(snippet("json", '"api_url"')) as Record<string, unknown>;
  const body = (await answer.json()) as Record<string, unknown>;
  expect(Object.keys(body).sort()).toEqual(Object.keys(shown).sort());
  for (const [name, value] of Object.entries(shown)) {
    const shape = (each: unknown) =>
      String(each)
        .replace(/[A-Za-z]/g, "a")
        .replace(/[a\d]/g, "x");
    if (name !== "api_url") expect([name, shape(body[name])]).toEqual([name, shape(value)]);
  }
  expect(body.api_url).toBe("https://valet.example.com");
});

test("the curl command brings a session", async () => {
  const child = spawn("sh", ["-c", snippet("bash", "curl")], {
    env: { ...process.env, ...environment() },
  });
  let said = "";
  child.stdout.on("data", (piece) => {
    said += String(piece);
  });
  await new Promise((resolve) => child.once("close", resolve));
  expect((JSON.parse(said) as { session_token: string }).session_token).toHaveLength(64);
});

/** Runs JavaScript of the page with what it takes for granted. */
function run(code: string, given: Record<string, unknown>, result: string): unknown {
  const body = code.replace(/^import .*\n/gm, "");
  return new Function(...Object.keys(given), `${body}\nreturn ${result};`)(...Object.values(given));
}

test("the server's pass-through and the page's getSessionToken work together", async () => {
  const app = express();
  run(snippet("js", /^app\.post\(/), { app, process: { env: environment() } }, "app");
  const customer = await listen(createServer(app));
  const getSessionToken = run(
    snippet("js", /^const getSessionToken/),
    { fetch: (path: string, init: RequestInit) => fetch(customer + path, init) },
    "getSessionToken",
  ) as () => Promise<unknown>;
  expect(parseSessionReply(await getSessionToken(), Date.now()).value).toHaveLength(64);
  const direct = await fetch(`${customer}/api/session`, { method: "POST" });
  expect(direct.status).toBe(201);
});

test("the session proxy of the page serves who is signed in, and nobody else", async () => {
  const findUser = (cookie: string | null) => (cookie === "user=7" ? { id: "7" } : undefined);
  const handleSession = run(
    snippet("js", /createSessionHandler\(\{/),
    { createSessionHandler, findUser, process: { env: environment() } },
    "handleSession",
  ) as (request: Request) => Promise<Response>;
  const ask = (cookie: string) =>
    handleSession(
      new Request("http://app.example/api/session", { method: "POST", headers: { cookie } }),
    );
  expect((await ask("user=8")).status).toBe(401);
  const answer = await ask("user=7");
  expect(answer.status).toBe(201);
  const { session_token: token } = (await answer.json()) as { session_token: string };
  const own = await fetch(`${apiUrl}/agent/v1/projects/${valet.projectId}/agent/session/`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await own.json()).toMatchObject({ external_owner_id: "7" });
});

test("both forms of a token are taken as they are", () => {
  const raw = JSON.parse(snippet("json", /^\{\s*"session_token"[^}]*Z"\s*\}$/));
  const normalised = JSON.parse(snippet("json", /^\{\s*"token"/));
  const now = Date.parse(raw.expires_at) - 60_000;
  expect(parseSessionReply(raw, now)).toEqual(parseSessionReply(normalised, now));
});

test("the React component builds and shows a chat in a browser", async () => {
  const source = join(folder, "src");
  mkdirSync(source);
  writeFileSync(
    join(source, "help.tsx"),
    `const getSessionToken = async () => { throw new Error("not now"); };\n${snippet("tsx", "export function Help")}`,
  );
  writeFileSync(
    join(source, "main.tsx"),
    `import { createRoot } from "react-dom/client"; import { Help } from "./help.tsx";
     createRoot(document.getElementById("root")!).render(<div style={{ height: 500 }}><Help /></div>);`,
  );
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html><title>x</title><div id="root"></div><script type="module" src="/src/main.tsx"></script>`,
  );
  await build({
    root: folder,
    configFile: false,
    logLevel: "silent",
    oxc: { jsx: { runtime: "automatic" } },
    resolve: {
      conditions: ["@valet/source", "module", "browser"],
      alias: [
        ...["react", "react-dom"].map((name) => ({
          find: new RegExp(`^${name}(/.*)?$`),
          replacement: `${join(root, "node_modules", name)}$1`,
        })),
        {
          find: /^@valet\/agent-react\/styles\.css$/,
          replacement: join(root, "packages/agent-react/src/styles.css"),
        },
        {
          find: /^@valet\/agent-react$/,
          replacement: join(root, "packages/agent-react/src/index.ts"),
        },
      ],
    },
    build: { outDir: "out", minify: false },
  });
  const out = join(folder, "out");
  const app = express();
  app.use(express.static(out));
  const url = await listen(createServer(app));
  browser = await openBrowser();
  const tab = await (await browser.newContext()).newPage();
  await tab.goto(url);
  await tab.getByRole("heading", { name: "What can I help with?" }).waitFor({ timeout: 10_000 });
  await tab.getByRole("textbox", { name: "Message" }).waitFor();
});

test("the environment line has the form of a real key, and no snippet was left out", () => {
  const line = snippet("sh", "VALET_API_KEY=");
  expect(`VALET_API_KEY=${valet.apiKey}`.startsWith(line.replace("…", ""))).toBe(true);
  // The drawing of the five steps is the one block that is no code.
  const rest = snippets.filter(({ language, code }) => language !== "text" && !ran.has(code));
  expect(rest).toEqual([]);
});
