import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Hono } from "hono";
import { afterEach, expect, test } from "vitest";
import type { AppEnv } from "./app-env.ts";
import { listen, type RequestBounds } from "./listen.ts";
import { readText } from "./read-json.ts";

let server: Server | undefined;
afterEach(() => void server?.close());

async function start(bounds?: RequestBounds): Promise<number> {
  const app = new Hono<AppEnv>().all("*", async (c) => c.text(await readText(c, 100)));
  app.onError((_error, c) => c.body(null, 500));
  server = await listen(app, { port: 0, host: "127.0.0.1" }, bounds);
  return (server.address() as AddressInfo).port;
}

/** Writes pieces to a connection, and resolves with all that came back when it was closed. */
function send(port: number, ...pieces: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      for (const piece of pieces) socket.write(piece);
    });
    let received = "";
    socket.on("data", (data) => {
      received += String(data);
    });
    socket.on("close", () => resolve(received));
    socket.on("error", reject);
  });
}

const problemOf = (answer: string) =>
  JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)) as { status: number; code: string };

test("headers of more than 8 KiB are refused with a problem that a page can read", async () => {
  const port = await start();
  const fits = `GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-filler: ${"a".repeat(7_900)}\r\n\r\n`;
  expect(await send(port, fits)).toMatch(/^HTTP\/1\.1 200 /);
  const answer = await send(port, fits.replace("x-filler: ", `x-filler: ${"a".repeat(400)}`));
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  expect(answer.toLowerCase()).toContain("access-control-allow-origin: *");
  expect(answer.toLowerCase()).toContain("content-type: application/problem+json");
  expect(problemOf(answer)).toMatchObject({ status: 431, code: "headers_too_large" });
});

test("headers and bodies that do not arrive in time cost their connection, and nobody else's", async () => {
  const port = await start({ headersTimeoutMs: 40, requestTimeoutMs: 80, checkEveryMs: 10 });
  const slow = [
    send(port, "GET / HTTP/1.1\r\nhost: a\r\n"),
    send(port, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc"),
  ];
  expect(await send(port, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).toContain(
    "200",
  );
  for (const answer of await Promise.all(slow)) {
    expect(problemOf(answer)).toMatchObject({ status: 408, code: "request_timeout" });
  }
});

test("what is no HTTP is told so, without an echo of it", async () => {
  const port = await start();
  const answer = await send(port, "SECRET nonsense\r\n\r\n");
  expect(problemOf(answer)).toMatchObject({ status: 400, code: "invalid_request" });
  expect(answer).not.toContain("SECRET");
});

test("two lengths, or a length and chunks, are refused: nobody smuggles a request in a body", async () => {
  const port = await start();
  const end = "\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nhost: a\r\n\r\n";
  for (const headers of [
    "content-length: 3\r\ncontent-length: 50",
    "content-length: 5\r\ntransfer-encoding: chunked",
    "transfer-encoding: identity, chunked, identity",
  ]) {
    const answer = await send(port, `POST / HTTP/1.1\r\nhost: a\r\n${headers}${end}`);
    expect([headers, answer.match(/HTTP\/1\.1 \d+/g)]).toEqual([headers, ["HTTP/1.1 400"]]);
  }
});
