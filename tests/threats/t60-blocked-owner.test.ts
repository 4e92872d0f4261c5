import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, problemOf } from "../support/attacked-server.ts";

/** T60: a blocked person gets a session under another key. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const send = (path: string, apiKey: string, body: object) =>
  server.send(path, {
    method: "POST",
    headers: { "x-api-key": apiKey, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const sessions = () => `${server.base}/sessions/`;
const block = (body: object) => send(`${server.base}/revocations/`, server.apiKey, body);

test.each([
  ["owner", { external_owner_id: "jo" }, { owner: "jo" }],
  ["visitor", { visitor_id: "v1" }, { visitor: "v1" }],
])(
  "a blocked %s gets no session with any key of the project, old or new, until unblocked",
  async (_, body, target) => {
    const older = await server.newKey();
    const { session_token: before } = await server.mint(body, older.secret);
    expect((await block({ targets: [target], block: true })).status).toBe(200);
    const newer = await server.newKey();
    for (const key of [server.apiKey, older.secret, newer.secret]) {
      expect(await problemOf(send(sessions(), key, body))).toBe("403 owner_blocked");
      expect(
        await problemOf(
          send(sessions(), key, { ...body, metadata: { retry: true }, ttl_seconds: 60 }),
        ),
      ).toBe("403 owner_blocked");
    }
    expect((await server.as(before, "/session/")).status).toBe(401);
    // Others are not kept out, nor is their namesake in another project.
    await server.mint({ external_owner_id: "al" }, newer.secret);
    const other = await server.newProject("Other");
    expect((await send(`${other.base}/sessions/`, other.apiKey, body)).status).toBe(201);

    expect((await block({ targets: [target], block: false })).status).toBe(200);
    expect((await send(sessions(), newer.secret, body)).status).toBe(201);
    expect((await server.as(before, "/session/")).status).toBe(401);
  },
);
