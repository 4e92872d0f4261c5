import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import createFastify from "fastify";
import { Hono } from "hono";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectionAddress, noteConnectionAddress } from "./connection-address.ts";
import { toHonoHandler } from "./hono.ts";
import { createSessionHandler } from "./index.ts";
import { toNextRoute } from "./next.ts";
import { createNodeSessionHandler, toFastifyHandler, toNodeHandler } from "./node.ts";

const open: { close(): unknown }[] = [];
const seen: { body: string }[] = [];
let baseUrl: string;

async function listen(server: Server): Promise<string> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  baseUrl = await listen(
    createServer(async (request, response) => {
      let body = "";
      for await (const piece of request) body += piece;
      seen.push({ body });
      response.writeHead(201).end(`{"session_token":"t","owner":${JSON.stringify(body)}}`);
    }),
  );
});
afterAll(() => Promise.all(open.map((server) => server.close())));

const options = () => ({
  apiKey: "agk_live_x",
  projectId: "prj_1",
  baseUrl,
  authorize: (request: Request) => request.headers.get("cookie") === "user=7" && { id: "7" },
  owner: (_request: Request, user: { id: string }) => user.id,
});

const frameworks: Record<string, () => Promise<string>> = {
  "node:http": () =>
    listen(
      createServer(
        (request, response) =>
          void toNodeHandler(createSessionHandler(options()))(request, response),
      ),
    ),
  Express: () => {
    const app = express();
    app.use(express.json());
    const router = express.Router();
    router.post("/session", createNodeSessionHandler(options()));
    app.use("/api", router);
    return listen(createServer(app));
  },
  Fastify: async () => {
    const fastify = createFastify();
    fastify.post("/api/session", toFastifyHandler(createSessionHandler(options())));
    open.push(fastify);
    return fastify.listen({ port: 0, host: "127.0.0.1" });
  },
  Hono: () => {
    const app = new Hono();
    app.all("/api/session", toHonoHandler(createSessionHandler(options())));
    return listen(createAdaptorServer({ fetch: app.fetch }) as Server);
  },
  Next: () => {
    const { POST } = toNextRoute(createSessionHandler(options()));
    return listen(createAdaptorServer({ fetch: POST }) as Server);
  },
};

test.each(Object.entries(frameworks))(
  "in %s a session passes through, a stranger is refused, and the body stays out",
  async (_name, start) => {
    const url = `${await start()}/api/session`;
    const post = (headers: Record<string, string>) =>
      fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: '{"external_owner_id":"8"}',
      });
    const answer = await post({ cookie: "user=7" });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toMatchObject({ session_token: "t" });
    expect(JSON.parse(seen.at(-1)?.body ?? "")).toEqual({ external_owner_id: "7" });
    expect((await post({})).status).toBe(401);
    const foreign = await post({ cookie: "user=7", origin: "https://evil.example" });
    expect(foreign.status).toBe(400);
  },
);

test("what is left out comes from the environment, and its lack is told at once", () => {
  expect(() => createNodeSessionHandler({ authorize: "public" })).toThrow("VALET_API_KEY");
});

const forVisitors = () => ({
  apiKey: "agk_live_x",
  projectId: "prj_1",
  baseUrl,
  authorize: "public" as const,
});

test.each(["node:http", "Express", "Fastify", "Hono"])(
  "in %s the address of the connection is the visitor's, whatever the headers claim",
  async (name) => {
    const handle = createSessionHandler(forVisitors());
    const fastify = createFastify();
    fastify.post("/api/session", toFastifyHandler(handle));
    const app = new Hono().all("/api/session", toHonoHandler(handle));
    const servers: Record<string, () => Promise<string>> = {
      "node:http": () => listen(createServer(createNodeSessionHandler(forVisitors()))),
      Express: () => listen(createServer(express().post("/api/session", toNodeHandler(handle)))),
      Fastify: () => {
        open.push(fastify);
        return fastify.listen({ port: 0, host: "127.0.0.1" });
      },
      Hono: () => listen(createAdaptorServer({ fetch: app.fetch }) as Server),
    };
    const url = `${await servers[name]?.()}/api/session`;
    await fetch(url, { method: "POST", headers: { "x-forwarded-for": "203.0.113.1" } });
    expect(JSON.parse(seen.at(-1)?.body ?? "")).toEqual({
      visitor_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      visitor_ip: "127.0.0.1",
    });
  },
);

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["fe80::1%eth0", "fe80::1"],
  ["2001:db8::1", "2001:db8::1"],
])("an address is told in the form that the Valet server takes: %s", (noted, told) => {
  const request = new Request("http://localhost/api/session");
  noteConnectionAddress(request, noted);
  expect(connectionAddress(request)).toBe(told);
});
