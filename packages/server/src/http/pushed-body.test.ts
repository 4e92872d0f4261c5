import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";
import type { AppEnv } from "./app-env.ts";
import { answerPushed, type WriteBody } from "./pushed-body.ts";

const pieceBytes = 64 * 1024;

/** Writes numbered pieces while there is room, and tells what it was told. */
function createWriter(pieces: number) {
  let next = 0;
  const told = { closed: 0 };
  let onFull: () => void = () => undefined;
  const whenFull = new Promise<void>((resolve) => {
    onFull = resolve;
  });
  let onClosed: () => void = () => undefined;
  const whenClosed = new Promise<void>((resolve) => {
    onClosed = resolve;
  });
  const write: WriteBody = (sink) => {
    const advance = () => {
      while (next < pieces && sink.hasRoom()) {
        const piece = Buffer.alloc(pieceBytes, next % 251);
        next += 1;
        sink.write(piece);
      }
      if (next < pieces) onFull();
      else if (next === pieces) {
        next += 1;
        sink.end();
      }
    };
    advance();
    return {
      onRoom: advance,
      onClose() {
        told.closed += 1;
        onClosed();
      },
    };
  };
  return { write, told, whenFull, whenClosed, written: () => Math.min(next, pieces) };
}

function appOf(write: WriteBody): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/", (c) => answerPushed(c, { "x-kind": "pushed" }, write));
}

/** Asks over a socket, and reads nothing of the body yet. */
async function askOverSocket(write: WriteBody): Promise<IncomingMessage> {
  const server = serve({ fetch: appOf(write).fetch, port: 0, hostname: "127.0.0.1" });
  await once(server, "listening");
  onTestFinished(() => new Promise((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  const asking = get({ port, host: "127.0.0.1", path: "/" });
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  return answer;
}

async function expectWhole(body: AsyncIterable<Uint8Array>, pieces: number): Promise<void> {
  let at = 0;
  for await (const bytes of body) {
    for (const byte of bytes) {
      if (byte !== Math.floor(at / pieceBytes) % 251) throw new Error(`Byte ${at} is ${byte}.`);
      at += 1;
    }
  }
  expect(at).toBe(pieces * pieceBytes);
}

test("over a socket a reader who does not read holds the writer back, and gets all in order", async () => {
  const pieces = 512;
  const writer = createWriter(pieces);
  const answer = await askOverSocket(writer.write);
  expect([answer.statusCode, answer.headers["x-kind"]]).toEqual([200, "pushed"]);
  await writer.whenFull;
  expect(writer.written()).toBeLessThan(pieces);
  await expectWhole(answer, pieces);
  await writer.whenClosed;
  expect(writer.told.closed).toBe(1);
});

test("over a socket a writer is told once that its reader has hung up", async () => {
  const writer = createWriter(512);
  const answer = await askOverSocket(writer.write);
  await writer.whenFull;
  answer.destroy();
  await writer.whenClosed;
  expect([writer.told.closed, writer.written() < 512]).toEqual([1, true]);
});

test("without a socket the same body is a web stream, written as it is read", async () => {
  const writer = createWriter(4);
  const answer = await appOf(writer.write).request("/");
  expect([answer.status, answer.headers.get("x-kind"), writer.written()]).toEqual([
    200,
    "pushed",
    1,
  ]);
  await expectWhole(answer.body as ReadableStream<Uint8Array>, 4);

  const left = createWriter(4);
  const other = await appOf(left.write).request("/");
  await other.body?.cancel();
  expect([left.told.closed, left.written()]).toEqual([1, 1]);
});
