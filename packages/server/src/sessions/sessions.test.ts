import { expect, test } from "vitest";
import type { KeyPrincipal } from "../api-keys/key-mirror.ts";
import { type Database, openDatabase } from "../database/database.ts";
import { createSqlProjectStateStore } from "../database/project-state-store.ts";
import { createSqlRevocationStore } from "../database/revocation-store.ts";
import { createSqlSessionStore } from "../database/session-store.ts";
import type { ProblemError } from "../http/problem-answer.ts";
import { createProjectStates } from "../projects/project-states.ts";
import { createOpenStreams } from "./open-streams.ts";
import { createRevocations } from "./revocations.ts";
import { createSessionTokenFormat } from "./session-token-format.ts";
import { createSessions, type Sessions } from "./sessions.ts";

const key: KeyPrincipal = { kid: "kid000000001", projectId: "prj_1", scopes: [] };
const format = createSessionTokenFormat({
  environment: "test",
  currentEpoch: "A",
  macKeys: new Map([["A", Buffer.alloc(32, 7)]]),
});

async function open(existing?: Database) {
  const database = existing ?? (await openDatabase(":memory:"));
  const clock = { ms: 1_800_000_000_123 };
  const revokedKeys = new Set<string>();
  const streams = createOpenStreams();
  const revocations = await createRevocations({
    store: createSqlRevocationStore(database),
    streams,
    now: () => clock.ms,
  });
  const sessions = await createSessions({
    store: createSqlSessionStore(database),
    states: await statesOf(database),
    format,
    streams,
    revocations,
    isKeyRevoked: (kid) => revokedKeys.has(kid),
    now: () => clock.ms,
  });
  return { database, clock, revokedKeys, streams, revocations, sessions };
}

const statesOf = (database: Database) =>
  createProjectStates({
    store: createSqlProjectStateStore(database),
    onOff: () => undefined,
  });

const codeOf = (sessions: Sessions, token: string) =>
  sessions.verify(token).then(
    ({ sid }) => sid,
    (error: ProblemError) => error.code,
  );

test("a token verifies as what it was made for, until the instant its reply names", async () => {
  const { sessions, clock } = await open();
  const reply = await sessions.create(key, { external_owner_id: "u1" });
  expect(reply.session_token).toMatch(/^[0-9A-Za-z]{64}$/);
  expect(reply.expires_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  expect(reply.expires_in).toBe(3600);
  const session = await sessions.verify(reply.session_token);
  expect(session).toMatchObject({ sid: reply.session_id, projectId: "prj_1", owner: "u1" });
  clock.ms = Date.parse(reply.expires_at) - 1;
  expect(await codeOf(sessions, reply.session_token)).toBe(reply.session_id);
  clock.ms += 1;
  expect(await codeOf(sessions, reply.session_token)).toBe("token_expired");
});

test("a session ended on purpose is refused at once, everywhere and after a restart", async () => {
  const { database, sessions, streams } = await open();
  const { session_token: token, session_id: sid } = await sessions.create(key, {});
  const cuts: string[] = [];
  streams.add(await sessions.verify(token), (reason) => cuts.push(reason));
  await sessions.revoke("prj_1", sid, "a");
  expect(await codeOf(sessions, token)).toBe("token_revoked");
  expect(cuts).toEqual(["token_revoked"]);
  expect(await codeOf((await open(database)).sessions, token)).toBe("token_revoked");
});

test("a revocation that overtakes a read of the same session is not undone by it", async () => {
  const { database, revocations } = await open();
  const real = createSqlSessionStore(database);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sessions = await createSessions({
    states: await statesOf(database),
    store: {
      ...real,
      byDigest: async (digest) => {
        const row = await real.byDigest(digest);
        await held;
        return row;
      },
    },
    format,
    streams: createOpenStreams(),
    revocations,
    isKeyRevoked: () => false,
    now: () => 1_800_000_000_000,
  });
  const { session_token: token, session_id: sid } = await sessions.create(key, {});
  const verdict = codeOf(sessions, token);
  await sessions.revoke("prj_1", sid, "a");
  release();
  expect(await verdict).toBe("token_revoked");
  expect(await codeOf(sessions, token)).toBe("token_revoked");
});

test("a revoked key ends every session made with it", async () => {
  const { sessions, revokedKeys } = await open();
  const { session_token: token } = await sessions.create(key, {});
  expect(await sessions.countLive(key.kid)).toBe(1);
  revokedKeys.add(key.kid);
  expect(await codeOf(sessions, token)).toBe("token_revoked");
  expect(await sessions.countLive(key.kid)).toBe(0);
});

test("junk and expired tokens never reach storage", async () => {
  const { database, clock, revocations } = await open();
  const store = createSqlSessionStore(database);
  let reads = 0;
  const sessions = await createSessions({
    states: await statesOf(database),
    store: {
      ...store,
      byDigest: (digest) => {
        reads += 1;
        return store.byDigest(digest);
      },
    },
    format,
    streams: createOpenStreams(),
    revocations,
    isKeyRevoked: () => false,
    now: () => clock.ms,
  });
  const { session_token: token } = await sessions.create(key, {});
  for (let round = 0; round < 3; round += 1) await sessions.verify(token);
  expect(reads).toBe(1);
  for (const junk of ["", "x", `${token}x`, `S${"0".repeat(63)}`]) {
    expect(await codeOf(sessions, junk)).toBe("invalid_token");
  }
  clock.ms += 4_000_000;
  expect(await codeOf(sessions, token)).toBe("token_expired");
  expect(reads).toBe(1);
});

test("a well-formed token that was never issued here is refused", async () => {
  const { sessions } = await open();
  expect(await codeOf(sessions, format.create(1_900_000_000))).toBe("invalid_token");
});

test("no token stands in the database", async () => {
  const { database, sessions } = await open();
  const { session_token: token } = await sessions.create(key, { metadata: { plan: "pro" } });
  const rows = await database.selectFrom("session").selectAll().execute();
  const digests = Buffer.concat(rows.map(({ digest }) => digest)).toString("latin1");
  expect(JSON.stringify(rows) + digests).not.toContain(token.slice(8, 40));
});

test("a session of another project does not exist", async () => {
  const { sessions } = await open();
  const { session_id: sid } = await sessions.create(key, {});
  await expect(sessions.get("prj_2", sid)).rejects.toThrow("nothing here");
  await expect(sessions.revoke("prj_2", sid, "a")).rejects.toThrow("nothing here");
});
