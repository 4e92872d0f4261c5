import { join } from "node:path";
import SQLite from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApiKey } from "../../packages/server/src/api-keys/api-key-format.ts";
import { randomBase62 } from "../../packages/server/src/base62.ts";
import { operations } from "../../packages/server/src/openapi/operations.ts";
import { type AttackedServer, openAttackedServer, question } from "../support/attacked-server.ts";
import { type ModelEndpoint, openModelEndpoint } from "../support/model-endpoint.ts";
import { password, setupCode, signUp } from "../support/people.ts";

/** T8: somebody reads logs, errors or answers. The log is written at its lowest level, `trace`. */
const modelKey = `sk-${randomBase62(40)}`;
let model: ModelEndpoint;
let server: AttackedServer;
beforeAll(async () => {
  // A provider that quotes all it was sent in its refusal, as some do.
  model = await openModelEndpoint({ failsWith: 400 });
  server = await openAttackedServer({ ...model.variables, VALET_MODEL_API_KEY: modelKey });
});
afterAll(async () => {
  await server?.close();
  await model?.close();
});

/** Every method of every path, with something in the place of its parameters. */
const routes = operations.map(
  ({ method, path }) =>
    [
      method.toUpperCase(),
      (server: AttackedServer) =>
        path.replace("{projectId}", server.projectId).replace(/\{\w+\}/g, "some_thing"),
    ] as const,
);

test("no credential comes back in an answer or lands in the log, whatever route it is sent to, and how", async () => {
  const cookie = await signUp(server);
  const { session_token: token } = await server.mint({ external_owner_id: "jo" });
  const { session_token: ended } = await server.mint();
  await server.as(ended, "/session/", { method: "DELETE" });
  const canaries: Record<string, string> = {
    key: server.apiKey,
    "unknown key": createApiKey().text,
    token,
    "ended token": ended,
    "forged token": `SA${randomBase62(62)}`,
    password,
    "set-up code": await setupCode(server),
    cookie: cookie.slice(cookie.indexOf("=") + 1),
    "model's key": modelKey,
  };
  const said: string[] = [];
  const statuses = new Set<number>();
  const send = async (method: string, path: string, init: RequestInit = {}) => {
    const answer = await server.fetch(`http://valet.test${path}`, { method, ...init });
    statuses.add(answer.status);
    // A session's mint hands out a new token, which is no canary.
    said.push(`${JSON.stringify([...answer.headers])} ${await answer.text()}`);
  };
  const secrets = Object.values(canaries);
  let turn = 0;
  for (const [method, pathOf] of routes) {
    const path = pathOf(server);
    // Time for the limits to forget.
    server.clock.ms += 10_000;
    const { session_token: asker } = await server.mint({ external_owner_id: "jo" });
    // Each way carries a third of the canaries; with the next route it is another third.
    for (const secret of secrets.filter((_, at) => (at + turn) % 3 === 0)) {
      const text = encodeURIComponent(secret);
      await send(method, path, { headers: { "x-api-key": secret } });
      await send(method, path, { headers: { authorization: `Bearer ${secret}` } });
      await send(method, path, { headers: { authorization: `Basic ${btoa(`x:${secret}`)}` } });
      await send(method, path, { headers: { authorization: secret, "x-api-key": secret } });
      await send(method, path, { headers: { "x-api-key": secret, origin: "https://a.example" } });
      await send(method, path, { headers: { cookie: `valet.session_token=${secret}` } });
      await send(method, `${path}?token=${text}&x=${text}`);
      if (method === "GET") continue;
      const body = JSON.stringify({ token: secret, password: secret, code: secret });
      for (const [name, value] of [
        ["authorization", `Bearer ${asker}`],
        ["cookie", cookie],
      ] as const) {
        const headers = { [name]: value, "content-type": "application/json" };
        await send(method, path, { headers, body });
        await send(method, path, { headers, body: body.slice(1) });
      }
    }
    turn += 1;
  }
  // A key or a token in the place of an id.
  for (const id of [server.apiKey, token, ended]) {
    for (const path of [`/sessions/${id}/`, `/threads/${id}/`, `/chat/${id}/stream/`, `/${id}`]) {
      await server.send(`${server.base}${path}`).then((answer) => answer.text());
    }
  }
  expect([...statuses].sort()).toEqual(expect.arrayContaining([400, 401, 403, 404, 415]));
  const found = (text: string) =>
    Object.entries(canaries)
      .filter(([, secret]) => text.includes(secret) || text.includes(encodeURIComponent(secret)))
      .map(([name]) => name);
  expect(found(said.join("\n"))).toEqual([]);
  expect(server.log()).toContain('"request"');
  expect(found(server.log())).toEqual([]);
});

test("a failing model and a failing database tell neither the client nor the log a credential", async () => {
  const { session_token: token } = await server.mint();
  const said: string[] = [];
  const chat = { method: "POST", body: question("What is it?") };
  const refused = await server.as(token, "/chat/", chat);
  said.push(await refused.text());
  expect(said[0]).toContain("model_rejected");

  const aborter = new AbortController();
  setTimeout(() => aborter.abort(), 5);
  await server.as(token, "/chat/", { ...chat, signal: aborter.signal }).catch(() => undefined);

  const { session_token: unread } = await server.mint();
  const database = new SQLite(join(server.folder, "valet.db"));
  database.exec(
    "alter table session rename to session_away; alter table thread rename to thread_away",
  );
  try {
    for (const answer of [
      await server.as(unread, "/session/"),
      await server.as(token, "/chat/", chat),
      await server.send(`${server.base}/sessions/`, {
        method: "POST",
        headers: { "x-api-key": server.apiKey },
      }),
    ]) {
      expect(answer.status).toBe(500);
      said.push(await answer.text());
    }
  } finally {
    database.exec(
      "alter table session_away rename to session; alter table thread_away rename to thread",
    );
    database.close();
  }
  expect(server.log()).toContain("no such table");
  for (const text of [said.join("\n"), server.log()]) {
    for (const secret of [token, unread, server.apiKey, modelKey]) {
      expect(text.includes(secret)).toBe(false);
    }
    expect(
      /S[0-9A-Za-z]{63}|agk_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}/.exec(text),
    ).toBeNull();
  }
  expect(said.join("\n")).not.toMatch(/no such table|\.ts:|node_modules/);
});
