import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sessionEndpoint } from "./session-endpoint.ts";
import { createSessionTokenManager } from "./session-token-manager.ts";
import type { TokenError } from "./token-error.ts";

let url = "";
let server: Server;
let handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
const sockets = new Set<Socket>();

beforeEach(async () => {
  server = createServer((request, response) => void handle(request, response));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function read(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Tokens `token-1`, `token-2`, ... of which the first is refused. */
function openManager() {
  let issued = 0;
  return createSessionTokenManager(async () => {
    issued += 1;
    return { token: `token-${issued}`, expiresIn: 3600 };
  });
}

test("a body that can be sent again arrives twice byte for byte, with another token", async () => {
  const form = new FormData();
  form.set("file", new File(["\u0000\u0001 bytes"], "a.bin"));
  for (const body of [
    '{"text":"ü"}',
    new URLSearchParams({ a: "1", b: "ä" }),
    new Blob(["blob \u0000"]),
    form,
    new Uint8Array([0, 255, 13, 10]),
  ]) {
    const seen: { token: string | undefined; bytes: string }[] = [];
    handle = async (request, response) => {
      const boundary = /boundary=(.*)$/.exec(request.headers["content-type"] ?? "")?.[1] ?? "";
      const bytes = (await read(request)).toString("latin1").replaceAll(boundary, "|");
      const token = request.headers.authorization;
      seen.push({ token, bytes });
      response.writeHead(token === "Bearer token-1" ? 401 : 200).end("{}");
    };
    const manager = openManager();
    const answer = await manager.withToken((token) =>
      fetch(url, { method: "POST", body, headers: { authorization: `Bearer ${token}` } }),
    );
    expect(answer.status).toBe(200);
    expect(seen.map(({ token }) => token)).toEqual(["Bearer token-1", "Bearer token-2"]);
    expect(seen[0]?.bytes).not.toBe("");
    expect(seen[1]?.bytes).toBe(seen[0]?.bytes);
  }
});

test("a body that is a stream is sent once; its 401 comes back whole, and the token is gone", async () => {
  let requests = 0;
  handle = async (request, response) => {
    requests += 1;
    await read(request);
    response.writeHead(401, { "content-type": "application/json" }).end('{"code":"token_revoked"}');
  };
  const manager = openManager();
  const answer = await manager.withToken(
    (token) =>
      fetch(url, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: new Blob(["once"]).stream(),
        duplex: "half",
      } as RequestInit),
    { replayable: false },
  );
  expect(answer.status).toBe(401);
  expect(await answer.json()).toEqual({ code: "token_revoked" });
  expect(requests).toBe(1);
  expect(manager.peek()).toBeUndefined();
});

test("a hundred refused requests leave no connection behind that nobody reads from", async () => {
  handle = async (request, response) => {
    await read(request);
    if (request.headers.authorization?.endsWith("-good")) return void response.end("ok");
    // A body that would keep the connection busy for as long as nobody takes it.
    response.writeHead(401).write("x".repeat(1_000_000));
  };
  let issued = 0;
  const manager = createSessionTokenManager(async () => {
    issued += 1;
    return { token: `t${issued}${issued % 2 === 0 ? "-good" : ""}`, expiresIn: 3600 };
  });
  const before = sockets.size;
  for (let round = 0; round < 4; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 25 }, () =>
        manager.withToken((token) => fetch(url, { headers: { authorization: `Bearer ${token}` } })),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await Promise.all(answers.map((answer) => answer.text()));
    manager.reset();
  }
  await expect
    .poll(() => [...sockets].filter((socket) => socket.writableLength > 0).length)
    .toBe(0);
  expect(sockets.size - before).toBeLessThanOrEqual(60);
});

test("the ready-made endpoint posts once, without cache, can be stopped, and reads the server's clock", async () => {
  const seen: string[] = [];
  handle = (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers["cache-control"]}`);
    // An hour by the server's clock, which is two hours behind the page's.
    const serverMs = Date.now() - 7_200_000;
    response
      .writeHead(200, {
        "content-type": "application/json",
        date: new Date(serverMs).toUTCString(),
      })
      .end(
        JSON.stringify({
          session_token: "a",
          expires_at: new Date(serverMs + 3_600_000).toISOString(),
        }),
      );
  };
  const manager = createSessionTokenManager(sessionEndpoint(`${url}/api/session`));
  const sources: string[] = [];
  manager.subscribe((event) => {
    if (event.type === "acquired") sources.push(event.source);
  });
  const lease = await manager.getToken();
  expect(seen).toEqual(["POST /api/session no-cache"]);
  expect(sources).toEqual(["issued"]);
  expect(Math.abs((lease.expiresInMs ?? 0) - 3_600_000)).toBeLessThan(2_000);

  const asked = new Promise<IncomingMessage>((resolve) => {
    handle = resolve;
  });
  manager.reportRejected(lease);
  const waiting = manager.getToken().catch((error: TokenError) => error.code);
  const { socket } = await asked;
  expect(socket.destroyed).toBe(false);
  manager.dispose();
  expect(await waiting).toBe("disposed");
  await expect.poll(() => socket.destroyed).toBe(true);
});

test("an endpoint that answers with something else is told apart, and its text is not quoted", async () => {
  for (const [status, body, expected] of [
    [200, "<html>secret-token</html>", { code: "invalid_token", why: "not_json" }],
    [200, '"secret-token"', { code: "invalid_token", why: "result_string" }],
    [200, "", { code: "invalid_token", why: "not_json" }],
    [200, "null", { code: "invalid_token", why: "result_null" }],
    [200, '["secret-token"]', { code: "invalid_token", why: "result_array" }],
    [200, "5", { code: "invalid_token", why: "result_number" }],
    [401, '{"code":"signed_out"}', { code: "callback_failed", status: 401, retryable: false }],
    [404, "secret-token", { code: "callback_failed", status: 404, retryable: false }],
  ] as const) {
    handle = (_, response) => {
      response.writeHead(status, { "content-type": "text/html" }).end(body);
    };
    const manager = createSessionTokenManager(sessionEndpoint(url));
    const error = await manager.getToken().catch((thrown: TokenError) => thrown);
    expect(error).toMatchObject(expected);
    expect(`${(error as Error).message} ${String((error as Error).cause)}`).not.toContain("secret");
  }
});

test("a busy endpoint is asked again when it says", async () => {
  let calls = 0;
  handle = (_, response) => {
    calls += 1;
    if (calls === 1) return void response.writeHead(429, { "retry-after": "0" }).end();
    response.end('{"session_token":"a","expires_in":3600}');
  };
  const manager = createSessionTokenManager(sessionEndpoint(url));
  expect((await manager.getToken()).value).toBe("a");
  expect(calls).toBe(2);
});

test("a Date that the API does not show is no matter", async () => {
  server.removeAllListeners("request");
  server.on("request", (_, response: ServerResponse) => {
    response.sendDate = false;
    response.end("ok");
  });
  const manager = openManager();
  const answer = await manager.withToken((token) =>
    fetch(url, { headers: { authorization: `Bearer ${token}` } }),
  );
  expect(await answer.text()).toBe("ok");
  expect(answer.headers.get("date")).toBeNull();
});

test("a date to wait until is read by the clock that wrote it, not by the page's", async () => {
  const atMs: number[] = [];
  handle = (_, response) => {
    atMs.push(performance.now());
    if (atMs.length > 1) return void response.end('{"session_token":"a","expires_in":3600}');
    // Two hours behind the page's clock.
    const serverMs = Date.now() - 7_200_000;
    response
      .writeHead(503, {
        date: new Date(serverMs).toUTCString(),
        "retry-after": new Date(serverMs + 2_000).toUTCString(),
      })
      .end();
  };
  expect((await createSessionTokenManager(sessionEndpoint(url)).getToken()).value).toBe("a");
  expect((atMs[1] ?? 0) - (atMs[0] ?? 0)).toBeGreaterThan(1_900);
});

test("the ready-made endpoint lets a refusal's body go, and its own signal counts", async () => {
  let cancelled = 0;
  let given: RequestInit | undefined;
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    given = init;
    const body = new ReadableStream({
      cancel() {
        cancelled += 1;
      },
    });
    return new Response(body, { status: 403 });
  });
  try {
    const own = new AbortController();
    const manager = createSessionTokenManager(sessionEndpoint("/s", { signal: own.signal }));
    const seen = await manager.getToken().catch((error: TokenError) => error);
    expect([seen, cancelled]).toMatchObject([{ status: 403 }, 1]);
    expect(given?.signal).toBeInstanceOf(AbortSignal);
    expect(given?.signal).not.toBe(own.signal);
  } finally {
    vi.unstubAllGlobals();
  }
});
