import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { doneData, encodeEvent, type StreamPart } from "@valet/protocol";

/** What one request for an answer does. */
export interface ScriptedAnswer {
  readonly parts: readonly StreamPart[];
  /** Cuts the connection after so many frames, without an end. */
  readonly cutAfter?: number;
  /** Waits before the frames that follow the first ones. */
  readonly waitsFor?: Promise<void>;
  /** Status and body of a problem, in the place of a stream. */
  readonly problem?: {
    readonly status: number;
    readonly code: string;
    readonly field?: string;
    readonly detail?: string;
  };
}

/** A Valet server that answers as it is told, over real HTTP. */
export interface ScriptedServer {
  readonly url: string;
  /** Bodies of the chat requests, in order. */
  readonly chats: Record<string, unknown>[];
  /** All requests: method and path. */
  readonly requests: string[];
  readonly tokens: string[];
  /** What chat requests are answered with, one after the other; the last serves all later ones. */
  script: ScriptedAnswer[];
  /** Tokens that are refused. */
  readonly revoked: Set<string>;
  /** Answers to other paths, by method and path. */
  readonly routes: Record<string, { status: number; body: unknown }>;
  close(): void;
}

/** A whole answer of some pieces of text. */
export function answerOf(...pieces: string[]): StreamPart[] {
  return [
    { type: "start", messageId: "msg_1", messageMetadata: { threadId: "thr_1", runId: "run_1" } },
    { type: "start-step" },
    { type: "text-start", id: "t" },
    ...pieces.map((delta): StreamPart => ({ type: "text-delta", id: "t", delta })),
    { type: "text-end", id: "t" },
    { type: "finish-step" },
    { type: "finish", finishReason: "stop" },
  ];
}

/** Starts one. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const requests: string[] = [];
  const chats: Record<string, unknown>[] = [];
  const tokens: string[] = [];
  const revoked = new Set<string>();
  let current: ScriptedAnswer | undefined;
  let lastBody = "";

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").replace("/agent/v1/projects/prj_1/agent", "");
    requests.push(`${request.method} ${path}`);
    const token = (request.headers.authorization ?? "").replace("Bearer ", "");
    tokens.push(token);
    let body = "";
    for await (const piece of request) body += piece;
    if (revoked.has(token)) return json(response, 401, { code: "token_revoked", status: 401 });
    const route = scripted.routes[`${request.method} ${path}`];
    if (route) return json(response, route.status, route.body);
    if (path === "/chat/") {
      const isRepeated = current?.cutAfter !== undefined && body === lastBody;
      lastBody = body;
      chats.push(JSON.parse(body) as Record<string, unknown>);
      if (isRepeated) return stream(response, current, 0, undefined);
      current = scripted.script.length > 1 ? scripted.script.shift() : scripted.script[0];
      if (current?.problem) {
        return json(response, current.problem.status, {
          title: "t",
          detail: "d",
          ...current.problem,
        });
      }
      return stream(response, current, 0, current?.cutAfter);
    }
    if (path.endsWith("/stream/")) {
      const last = Number(
        (request.headers["last-event-id"] as string | undefined)?.split(":")[1] ?? -1,
      );
      if (!current) return void response.writeHead(204).end();
      return stream(response, current, last + 1, undefined);
    }
    return json(response, 200, { stopped: true });
  }

  const server: Server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const scripted: ScriptedServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    chats,
    tokens,
    script: [{ parts: answerOf("Hello.") }],
    revoked,
    routes: {},
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return scripted;
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function stream(
  response: ServerResponse,
  answer: ScriptedAnswer | undefined,
  from: number,
  cutAfter: number | undefined,
): Promise<void> {
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "x-thread-id": "thr_1",
    "x-run-id": "run_1",
  });
  response.flushHeaders();
  const parts = answer?.parts ?? [];
  for (let seq = from; seq < parts.length; seq += 1) {
    if (cutAfter !== undefined && seq >= cutAfter) {
      // What was written leaves first; then the connection breaks.
      await new Promise((resolve) => setImmediate(resolve));
      return void response.destroy();
    }
    if (seq === 3) await answer?.waitsFor;
    response.write(encodeEvent({ id: `run_1:${seq}`, data: JSON.stringify(parts[seq]) }));
  }
  response.end(encodeEvent({ id: "", data: doneData }));
}
