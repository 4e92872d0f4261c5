import { afterAll, beforeAll, expect, test } from "vitest";
import { operations } from "../../packages/server/src/openapi/operations.ts";
import {
  type AttackedServer,
  type OtherProject,
  openAttackedServer,
  question,
} from "../support/attacked-server.ts";

/** T15: one customer uses the keys, tokens or ids of another customer's project. */
let server: AttackedServer;
let other: OtherProject;
beforeAll(async () => {
  server = await openAttackedServer();
  other = await server.newProject("Other");
});
afterAll(() => server.close());

/** What can be seen of an answer, without what differs between any two. */
async function seen(answer: Response): Promise<unknown> {
  return [answer.status, (await answer.text()).replace(/req_\w+/g, "req")];
}

test("a key or a token on another project's path is told what a project that is not there tells, on every route", async () => {
  const { session_token: token } = await server.mint({ external_owner_id: "jo" });
  const credentials = { "x-api-key": server.apiKey, authorization: `Bearer ${token}` };
  const paths = operations.filter(({ path }) => path.startsWith("/agent/"));
  expect(paths.length).toBeGreaterThan(14);
  const { id: everyScope, secret } = await server.newKey({
    scopes: [
      "sessions:create",
      "sessions:visitors",
      "sessions:read",
      "sessions:revoke",
      "introspect",
    ],
  });
  expect(everyScope).not.toBe(server.kid);
  for (const { method, path, credentials: takes } of paths) {
    const header = takes.includes("sessionToken") ? "authorization" : "x-api-key";
    const value = header === "authorization" ? credentials.authorization : secret;
    const ask = (projectId: string) =>
      server.send(path.replace("{projectId}", projectId).replace(/\{\w+\}/g, "some_thing"), {
        method: method.toUpperCase(),
        headers: { [header]: value, "content-type": "application/json" },
        ...(method === "get" ? {} : { body: "{}" }),
      });
    const theirs = await seen(await ask(other.projectId));
    const nobodys = await seen(await ask("prj_0000000000000000000000"));
    expect([path, theirs]).toEqual([path, nobodys]);
    expect([path, (theirs as [number])[0]]).toEqual([path, 404]);
  }
});

test("ids of another project below one's own are told what ids that are not there are told", async () => {
  const theirs = await server.send(`${other.base}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": other.apiKey },
  });
  const session = (await theirs.json()) as { session_id: string; session_token: string };
  const asked = await server.send(`${other.base}/chat/`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${session.session_token}`,
      "content-type": "application/json",
    },
    body: question("Secret?"),
  });
  const thread = asked.headers.get("x-thread-id") ?? "";
  await asked.text();
  const { session_token: mine } = await server.mint({ external_owner_id: "jo" });
  const key = { "x-api-key": server.apiKey, "content-type": "application/json" };
  const bearer = { authorization: `Bearer ${mine}` };
  const pairs: [string, string, string, Record<string, string>, string?][] = [
    ["GET", `/sessions/${session.session_id}/`, `/sessions/ses_${"0".repeat(22)}/`, key],
    ["DELETE", `/sessions/${session.session_id}/`, `/sessions/ses_${"0".repeat(22)}/`, key],
    ["GET", `/threads/${thread}/`, `/threads/thr_${"0".repeat(22)}/`, bearer],
    ["DELETE", `/threads/${thread}/`, `/threads/thr_${"0".repeat(22)}/`, bearer],
  ];
  for (const [method, path, nowhere, headers] of pairs) {
    const there = await seen(await server.send(`${server.base}${path}`, { method, headers }));
    const none = await seen(await server.send(`${server.base}${nowhere}`, { method, headers }));
    expect([path, there]).toEqual([path, none]);
    expect((there as [number])[0]).toBe(404);
  }
  const revoke = (target: object) =>
    server.send(`${server.base}/revocations/`, {
      method: "POST",
      headers: key,
      body: JSON.stringify({ targets: [target] }),
    });
  expect((await revoke({ session: session.session_id })).status).toBe(404);
  await (await revoke({ key: other.kid })).text();
  const alive = await server.send(`${other.base}/session/`, {
    headers: { authorization: `Bearer ${session.session_token}` },
  });
  expect(alive.status).toBe(200);
  const list = await server.send(`${server.base}/sessions/?key=${other.kid}`, { headers: key });
  expect(await list.json()).toEqual({ sessions: [], next_cursor: null });
});

test("introspection and revocation by token know nothing of another project's tokens", async () => {
  const { secret } = await server.newKey({ scopes: ["introspect", "sessions:revoke"] });
  const minted = await server.send(`${other.base}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": other.apiKey },
  });
  const { session_token: foreign } = (await minted.json()) as { session_token: string };
  const ask = async (path: string, token: string) =>
    seen(
      await server.send(`${server.base}${path}`, {
        method: "POST",
        headers: { "x-api-key": secret },
        body: new URLSearchParams({ token }),
      }),
    );
  for (const path of ["/sessions/introspect/", "/sessions/revoke/"]) {
    expect(await ask(path, foreign)).toEqual(await ask(path, "made-up"));
  }
  const alive = await server.send(`${other.base}/session/`, {
    headers: { authorization: `Bearer ${foreign}` },
  });
  expect(alive.status).toBe(200);
});
