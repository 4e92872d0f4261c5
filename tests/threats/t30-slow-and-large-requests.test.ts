import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listen } from "../../packages/server/src/http/listen.ts";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";

/** T30: somebody sends requests that are slow, large or endless, over a socket of their own. */
let server: AttackedServer;
let port: number;
let http: Awaited<ReturnType<typeof listen>>;
let token: string;
beforeAll(async () => {
  server = await openAttackedServer();
  // The same listener with shorter times, so that the test need not wait for the usual ones.
  const times = { headersTimeoutMs: 300, requestTimeoutMs: 600, checkEveryMs: 50 };
  http = await listen(server.server.app, { port: 0, host: "127.0.0.1" }, times);
  port = (http.address() as { port: number }).port;
  token = (await server.mint()).session_token;
});
afterAll(async () => {
  http?.closeAllConnections();
  http?.close();
  await server?.close();
});

/** Sends pieces with a pause between; gives what came back before the server hung up. */
function raw(to: number, pieces: Iterable<string>, pauseMs = 0): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(to, "127.0.0.1");
    let said = "";
    socket.on("data", (piece) => {
      said += String(piece);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(said));
    void (async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        if (!socket.write(piece))
          await new Promise((go) => {
            socket.once("drain", go);
            socket.once("close", go);
          });
        if (pauseMs > 0) await new Promise((go) => setTimeout(go, pauseMs));
      }
      // A server that still waits has not defended itself.
      setTimeout(() => socket.destroy(), 5_000).unref();
    })();
  });
}

function* repeat(text: string, times: number): Generator<string> {
  for (let at = 0; at < times; at += 1) yield text;
}

const head = (method: string, path: string, ...headers: string[]) =>
  [`${method} ${path} HTTP/1.1`, "Host: valet.test", ...headers, "", ""].join("\r\n");
const bearer = () => `Authorization: Bearer ${token}`;
const statusOf = (said: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(said)?.[1]);

test("headers that come a byte at a time cost the connection when their time is over", async () => {
  const startedMs = performance.now();
  const said = await raw(
    port,
    [`GET ${server.base}/session/ HTTP/1.1\r\nHost: x\r\nX: `, ...repeat("a", 400)],
    20,
  );
  expect(statusOf(said)).toBe(408);
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});

test("a body that comes a byte at a time costs the connection when its time is over", async () => {
  const headers = [bearer(), "Content-Type: application/json", "Content-Length: 10000"];
  const said = await raw(
    port,
    [head("POST", `${server.base}/chat/`, ...headers), ...repeat("a", 400)],
    20,
  );
  expect([408, Number.NaN]).toContain(statusOf(said));
  expect(said).not.toContain("200");
});

test("more than 8 KB of headers are refused, whether one is long or many are short", async () => {
  const one = await raw(server.port, [head("GET", "/healthz", `X-Long: ${"a".repeat(20_000)}`)]);
  const many = await raw(server.port, [head("GET", "/healthz", ...repeat("Name: value", 1_500))]);
  expect([statusOf(one), statusOf(many)]).toEqual([431, 431]);
  const token = await raw(server.port, [
    head("GET", "/healthz", `Authorization: Bearer ${"S".repeat(9_000)}`),
  ]);
  expect(statusOf(token)).toBe(431);
});

test("a body that says or turns out to be too large is refused, and not read to its end", async () => {
  const mint = [
    `X-API-Key: ${server.apiKey}`,
    "Content-Type: application/json",
    "Connection: close",
  ];
  const path = `${server.base}/sessions/`;
  const said = await raw(server.port, [
    head("POST", path, ...mint, "Content-Length: 99999999"),
    "{",
  ]);
  expect(statusOf(said)).toBe(413);

  const megabyte = "a".repeat(1 << 20);
  let sent = 0;
  function* endless(): Generator<string> {
    yield head("POST", path, ...mint, "Transfer-Encoding: chunked");
    for (; sent < 200; sent += 1) yield `${megabyte.length.toString(16)}\r\n${megabyte}\r\n`;
  }
  const chunked = await raw(server.port, endless());
  expect([413, Number.NaN]).toContain(statusOf(chunked));
  expect(sent).toBeLessThan(50);
  const alive = await server.as(token, "/session/");
  expect(alive.status).toBe(200);
});
