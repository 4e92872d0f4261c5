import { expect, test } from "vitest";
import { randomBase62 } from "../../packages/server/src/base62.ts";
import { openAttackedServer } from "../support/attacked-server.ts";
import { countStatements } from "../support/count-calls.ts";

/** The server has other work, too. */
const readsOfSessions = /\bfrom "?session"? /;

/** T2 in full: a million junk tokens against a server, without the network between. */
test("a million well-formed junk tokens read nothing, and a live session still needs no read", {
  timeout: 1_800_000,
}, async () => {
  const server = await openAttackedServer({ VALET_LOG_LEVEL: "silent" });
  const statements = countStatements(readsOfSessions);
  try {
    const { session_token: live } = await server.mint();
    const ask = (token: string) =>
      server.fetch(`http://valet.test${server.base}/session/`, {
        headers: { authorization: `Bearer ${token}` },
      });
    expect((await ask(live)).status).toBe(200);
    expect(statements.calls).toBeGreaterThan(0);
    statements.reset();
    let refused = 0;
    for (let sent = 0; sent < 1_000_000; sent += 1) {
      const junk = `${live.slice(0, 8)}${randomBase62(56)}`;
      const { status } = await ask(junk);
      if (status === 401 || status === 429) refused += 1;
    }
    expect((await ask(live)).status).toBe(200);
    expect([refused, statements.calls]).toEqual([1_000_000, 0]);
  } finally {
    statements.stop();
    await server.close();
  }
});
