import { request as httpRequest } from "node:http";
import { Readable } from "node:stream";

/** Sends one request to a control app, wherever that runs. */
export type ControlFetch = (path: string, init?: RequestInit) => Promise<Response>;

/** What the `valet` command and `npm start` ask of a server. */
export interface ControlClient {
  get<Answer>(path: string): Promise<Answer>;
  post<Answer>(path: string, body?: unknown): Promise<Answer>;
  put<Answer>(path: string, body: unknown): Promise<Answer>;
  patch<Answer>(path: string, body: unknown): Promise<Answer>;
  delete(path: string): Promise<void>;
  /** Posts, and gives each line of the answer as it comes. */
  lines<Line>(path: string, body: unknown): AsyncIterable<Line>;
}

/** The server refused; the message is for people. */
export class ControlError extends Error {
  override readonly name = "ControlError";
}

/** Creates a client over any way of sending. */
export function createControlClient(send: ControlFetch): ControlClient {
  async function checked(path: string, method: string, body?: unknown): Promise<Response> {
    const answer = await send(path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
    if (answer.ok) return answer;
    const problem = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string };
    throw new ControlError(problem.detail ?? problem.title ?? `The server said ${answer.status}.`);
  }
  return {
    get: async <Answer>(path: string) => (await (await checked(path, "GET")).json()) as Answer,
    post: async <Answer>(path: string, body: unknown = {}) =>
      (await (await checked(path, "POST", body)).json()) as Answer,
    put: async <Answer>(path: string, body: unknown) =>
      (await (await checked(path, "PUT", body)).json()) as Answer,
    patch: async <Answer>(path: string, body: unknown) =>
      (await (await checked(path, "PATCH", body)).json()) as Answer,
    delete: async (path) => {
      await checked(path, "DELETE");
    },
    async *lines<Line>(path: string, body: unknown) {
      const answer = await checked(path, "POST", body);
      if (!answer.body) return;
      let rest = "";
      for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
        const found = `${rest}${piece}`.split("\n");
        rest = found.pop() ?? "";
        for (const line of found) yield JSON.parse(line) as Line;
      }
    },
  };
}

/** Sends over the socket of a running server. Rejects with `ENOENT` or `ECONNREFUSED` if none runs. */
export function socketFetch(socketPath: string): ControlFetch {
  return (path, init = {}) =>
    new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          socketPath,
          path,
          method: init.method ?? "GET",
          headers: init.headers as Record<string, string>,
        },
        (answer) => {
          const hasBody = answer.statusCode !== 204;
          const body = hasBody ? (Readable.toWeb(answer) as ReadableStream<Uint8Array>) : null;
          resolve(new Response(body, { status: answer.statusCode ?? 500 }));
        },
      );
      request.on("error", reject);
      request.end(init.body as string | undefined);
    });
}
