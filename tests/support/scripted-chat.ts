import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import {
  type ChatRequest,
  doneData,
  encodeEvent,
  type StoredThread,
  type StreamPart,
  type ThreadList,
} from "@valet/protocol";
import { build, type Rolldown } from "vite";
import type { ChatPageProps } from "./chat-page.tsx";

/** What the server beside the page says. All of it may be changed between two messages. */
export interface ChatScript {
  /** The frames of an answer; or a status and a body in its place. */
  chat: (
    request: ChatRequest,
  ) =>
    | AsyncIterable<StreamPart>
    | Iterable<StreamPart>
    | { status: number; body?: object; headers?: Record<string, string> };
  /** Status of the session endpoint; a promise keeps it waiting. @default 200 */
  session?: () => number | Promise<number>;
  threads?: () => ThreadList | number | Promise<ThreadList>;
  thread?: (id: string) => StoredThread | number;
}

/** A page with the chat, on a server that says what a test wants it to say. */
export interface ScriptedChat {
  readonly script: ChatScript;
  /** Method and path of every request so far, but those of the page itself. */
  readonly requests: readonly string[];
  /** The address of the page with these props. */
  pageUrl(props?: ChatPageProps): string;
  close(): Promise<void>;
}

/** Opens one on a free port. The page is made of the source, not of the build. */
export async function openScriptedChat(script: ChatScript): Promise<ScriptedChat> {
  const files = await bundlePage();
  const requests: string[] = [];
  const server = createServer((request, answer) => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    const file = files.get(pathname);
    if (file) return void answer.setHeader("content-type", file.contentType).end(file.content);
    requests.push(`${request.method} ${pathname}`);
    serve(script, pathname, request, answer).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    script,
    requests,
    pageUrl: (props = {}) =>
      `http://127.0.0.1:${port}/?${new URLSearchParams({ props: JSON.stringify(props) })}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const base = "/agent/v1/projects/prj_1/agent";

async function serve(
  script: ChatScript,
  path: string,
  request: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  if (path === "/api/session") {
    const status = (await script.session?.()) ?? 200;
    return sendJson(answer, status, { session_token: "token", expires_in: 3600 });
  }
  if (path === `${base}/threads/`) {
    return sendValue(answer, (await script.threads?.()) ?? { threads: [], next_cursor: null });
  }
  const id = new RegExp(`^${base}/threads/([^/]+)/$`).exec(path)?.[1];
  if (id !== undefined && request.method === "GET") {
    return sendValue(answer, script.thread?.(id) ?? 404);
  }
  if (path !== `${base}/chat/`) return sendJson(answer, 200, {});
  const said = script.chat(JSON.parse(await textOf(request)) as ChatRequest);
  if ("status" in said) {
    for (const [name, value] of Object.entries(said.headers ?? {})) answer.setHeader(name, value);
    return sendJson(answer, said.status, said.body ?? {});
  }
  answer.writeHead(200, {
    "content-type": "text/event-stream",
    "x-thread-id": "thr_1",
    "x-run-id": "run_1",
  });
  answer.flushHeaders();
  let seq = 0;
  for await (const part of said) {
    if (answer.destroyed) return;
    answer.write(encodeEvent({ id: `run_1:${seq}`, data: JSON.stringify(part) }));
    seq += 1;
  }
  answer.end(encodeEvent({ id: "", data: doneData }));
}

/** A value with 200, or a problem with the status that stands in its place. */
function sendValue(answer: ServerResponse, value: object | number): void {
  if (typeof value === "number") sendJson(answer, value, { code: problems[value] ?? "x" });
  else sendJson(answer, 200, value);
}

const problems: Readonly<Record<number, string>> = { 409: "history_needs_owner", 404: "not_found" };

function sendJson(answer: ServerResponse, status: number, body: object): void {
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += String(piece);
  return text;
}

interface PageFile {
  readonly content: string;
  readonly contentType: string;
}

async function bundlePage(): Promise<ReadonlyMap<string, PageFile>> {
  const built = (await build({
    configFile: false,
    root: fileURLToPath(new URL(".", import.meta.url)),
    logLevel: "error",
    mode: "development",
    define: { "process.env.NODE_ENV": '"development"' },
    resolve: { conditions: ["@valet/source"] },
    oxc: { jsx: { runtime: "automatic" } },
    build: {
      write: false,
      minify: false,
      modulePreload: false,
      rolldownOptions: {
        input: fileURLToPath(new URL("chat-page.tsx", import.meta.url)),
        output: { codeSplitting: false },
      },
    },
  })) as Rolldown.RolldownOutput;
  const [script] = built.output;
  const styles = new URL("../../packages/agent-react/src/styles.css", import.meta.url);
  return new Map([
    ["/", { content: html, contentType: "text/html; charset=utf-8" }],
    ["/page.js", { content: script.code, contentType: "text/javascript; charset=utf-8" }],
    [
      "/page.css",
      { content: readFileSync(styles, "utf8"), contentType: "text/css; charset=utf-8" },
    ],
  ]);
}

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chat</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
</head>
<body style="margin:0">
<main id="root"></main>
<script type="module" src="/page.js"></script>
</body>
</html>`;
