import { afterAll, beforeAll, expect, test } from "vitest";
import { testDatabases } from "../../packages/server/src/database/testing/test-databases.ts";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";

/**
 * T20: a read that was under way when a session was revoked puts the session back into memory.
 * Deterministically, with a read that is held, in sessions.test.ts beside the code; here by racing.
 */
const kinds = await testDatabases();

for (const kind of kinds) {
  const rounds = kind.name === "SQLite" ? 25 : 10;
  let server: AttackedServer;
  let drop: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    if (kind.name === "SQLite") server = await openAttackedServer();
    else {
      const place = await kind.createPlace();
      drop = place.drop;
      server = await openAttackedServer({ VALET_DATABASE_URL: place.place });
    }
  });
  afterAll(async () => {
    await server?.close();
    await drop?.();
  });

  test(`a session that is asked for while it is being revoked is refused ever after (${kind.name})`, async () => {
    const key = { "x-api-key": server.apiKey };
    let wasAccepted = 0;
    for (let round = 0; round < rounds; round += 1) {
      server.clock.ms += 1_000;
      const { session_token: token, session_id: sid } = await server.mint();
      // First uses, each of which reads: some before, some beside, some behind the revocation.
      const asked = Array.from({ length: 6 }, () => server.as(token, "/session/"));
      const revoked = server.send(`${server.base}/sessions/${sid}/`, {
        method: "DELETE",
        headers: key,
      });
      asked.push(...Array.from({ length: 6 }, () => server.as(token, "/session/")));
      expect((await revoked).status).toBe(200);
      const after = await Promise.all([0, 1, 2].map(() => server.as(token, "/session/")));
      expect(after.map(({ status }) => status)).toEqual([401, 401, 401]);
      for (const answer of await Promise.all(asked)) if (answer.status === 200) wasAccepted += 1;
      expect((await server.as(token, "/session/")).status).toBe(401);
    }
    // Some were in time: the race was one.
    expect(wasAccepted).toBeGreaterThan(0);
  });
}
