import { afterAll, beforeAll, expect, test } from "vitest";
import { randomBase62 } from "../../packages/server/src/base62.ts";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";
import { countStatements } from "../support/count-calls.ts";

/** The server has other work, too. */
const readsOfSessions = /\bfrom "?session"? /;

/** T2: anyone floods the server with junk tokens, to load its database or to push sessions out of memory. */
let server: AttackedServer;
beforeAll(async () => {
  server = await openAttackedServer();
});
afterAll(() => server.close());

const ask = (token: string) =>
  server.fetch(`http://valet.test${server.base}/session/`, {
    headers: { authorization: `Bearer ${token}` },
  });

test("3,000 well-formed junk tokens read nothing, and live sessions stay in memory", async () => {
  const live: string[] = [];
  for (let made = 0; made < 90; made += 1) live.push((await server.mint()).session_token);
  const askAll = async () => {
    for (const token of live) expect((await ask(token)).status).toBe(200);
  };
  await askAll();
  const statements = countStatements(readsOfSessions);
  try {
    const { session_token: fresh } = await server.mint();
    expect((await ask(fresh)).status).toBe(200);
    // What is counted can be counted.
    expect(statements.calls).toBeGreaterThan(0);

    statements.reset();
    for (let sent = 0; sent < 3_000; sent += 1) {
      const junk = `SA${live[0]?.slice(2, 8)}${randomBase62(56)}`;
      const { status } = await ask(junk);
      if (status !== 401) expect(status).toBe(429);
    }
    await askAll();
    expect(statements.calls).toBe(0);
  } finally {
    statements.stop();
  }
});
