import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, problemOf } from "../support/attacked-server.ts";

/** T42: the memory of sessions mixes two of them up. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

test("each of 150 tokens of two projects stands for its own session, however often and in whatever order it is asked", async () => {
  const other = await server.newProject("Other");
  const made: { token: string; sid: string; base: string; owner: string }[] = [];
  for (let at = 0; at < 150; at += 1) {
    server.clock.ms += 1_000;
    const [base, key] = at % 2 === 0 ? [server.base, server.apiKey] : [other.base, other.apiKey];
    const answer = await server.send(`${base}/sessions/`, {
      method: "POST",
      headers: { "x-api-key": key, "content-type": "application/json" },
      body: JSON.stringify({ external_owner_id: `person-${at}` }),
    });
    const body = (await answer.json()) as { session_token: string; session_id: string };
    made.push({ token: body.session_token, sid: body.session_id, base, owner: `person-${at}` });
  }
  for (const order of [
    made,
    [...made].reverse(),
    [...made].sort((a, b) => (a.token < b.token ? -1 : 1)),
  ]) {
    for (const { token, sid, base, owner } of order) {
      const headers = { authorization: `Bearer ${token}` };
      const own = await server.send(`${base}/session/`, { headers });
      expect(await own.json()).toMatchObject({ session_id: sid, external_owner_id: owner });
      const foreign = base === server.base ? other.base : server.base;
      if (order === made)
        expect(await problemOf(server.send(`${foreign}/session/`, { headers }))).toBe(
          "404 not_found",
        );
    }
  }
});
