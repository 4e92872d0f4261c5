import { env } from "node:process";
import { noteConnectionAddress } from "./connection-address.ts";
import type { SessionHandlerOptions } from "./options.ts";
import { createSessionHandler, type SessionHandler } from "./session-handler.ts";

/** The part of a request of `node:http`, Express or Fastify that is needed. */
export interface NodeRequest {
  readonly method?: string | undefined;
  /** Express changes `url` below a mount point; `originalUrl` is what was asked. */
  readonly url?: string | undefined;
  readonly originalUrl?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean };
}

/** The part of an answer of `node:http` or Express that is needed. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string | readonly string[]): unknown;
  end(body?: string): unknown;
}

/** Serves one request of `node:http`, or of Express. */
export type NodeSessionHandler = (request: NodeRequest, response: NodeResponse) => Promise<void>;

/** What may be left to the environment. */
export type NodeSessionOptions<Identity = unknown> = Partial<
  Pick<SessionHandlerOptions<Identity>, "apiKey" | "projectId" | "baseUrl">
> &
  Omit<SessionHandlerOptions<Identity>, "apiKey" | "projectId" | "baseUrl">;

/**
 * {@link createSessionHandler} for `node:http` and Express. What is left out comes from
 * `VALET_API_KEY`, `VALET_PROJECT_ID` and `VALET_API_URL` (or the same with `KAPA_`).
 *
 * @example
 * app.post("/api/session", createNodeSessionHandler({ authorize: (request) => findUser(request) }));
 */
export function createNodeSessionHandler<Identity>(
  options: NodeSessionOptions<Identity>,
): NodeSessionHandler {
  return toNodeHandler(
    createSessionHandler({
      ...options,
      apiKey: options.apiKey ?? fromEnvironment("API_KEY"),
      projectId: options.projectId ?? fromEnvironment("PROJECT_ID"),
      baseUrl: options.baseUrl ?? fromEnvironment("API_URL"),
    }),
  );
}

/** Serves `node:http` and Express with a handler of requests. */
export function toNodeHandler(handle: SessionHandler): NodeSessionHandler {
  return async (request, response) => {
    const answer = await handle(toRequest(request));
    response.statusCode = answer.status;
    for (const [name, value] of answer.headers) {
      if (name !== "set-cookie") response.setHeader(name, value);
    }
    const cookies = answer.headers.getSetCookie();
    if (cookies.length > 0) response.setHeader("set-cookie", cookies);
    response.end(await answer.text());
  };
}

/** The part of a Fastify request that is needed. */
export interface FastifyLikeRequest {
  readonly raw: NodeRequest;
}

/** The part of a Fastify reply that is needed. */
export interface FastifyLikeReply {
  readonly raw: NodeResponse;
  /** Tells Fastify that the answer is being given past it. */
  hijack(): unknown;
}

/**
 * Serves Fastify with a handler of requests.
 *
 * @example
 * fastify.post("/api/session", toFastifyHandler(createSessionHandler({ ... })));
 */
export function toFastifyHandler(
  handle: SessionHandler,
): (request: FastifyLikeRequest, reply: FastifyLikeReply) => Promise<void> {
  const serve = toNodeHandler(handle);
  return async (request, reply) => {
    reply.hijack();
    await serve(request.raw, reply.raw);
  };
}

function toRequest(incoming: NodeRequest): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) headers.append(name, one);
    }
  }
  const scheme = incoming.socket.encrypted ? "https" : "http";
  const host = headers.get("host") ?? "localhost";
  const path = incoming.originalUrl ?? incoming.url ?? "/";
  // The body stays where it is: nothing of it ever goes to the Valet server.
  const request = new Request(new URL(path, `${scheme}://${host}`), {
    method: incoming.method ?? "GET",
    headers,
  });
  noteConnectionAddress(request, incoming.socket.remoteAddress);
  return request;
}

function fromEnvironment(name: string): string {
  return env[`VALET_${name}`] ?? env[`KAPA_${name}`] ?? "";
}
