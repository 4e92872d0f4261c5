import fc from "fast-check";
import { expect, test } from "vitest";
import { someSession } from "../agent/testing/agent-harness.ts";
import type { KeyPrincipal } from "../api-keys/key-mirror.ts";
import { type Database, openDatabase } from "../database/database.ts";
import { createSqlProjectStateStore } from "../database/project-state-store.ts";
import { createSqlRevocationStore } from "../database/revocation-store.ts";
import type { SessionRow } from "../database/schema.ts";
import { createSqlSessionStore } from "../database/session-store.ts";
import { createProjectStates } from "../projects/project-states.ts";
import { createLiveSessions } from "./live-sessions.ts";
import { createOpenStreams } from "./open-streams.ts";
import { createRevocations } from "./revocations.ts";
import type { SessionStore } from "./session-store.ts";
import { createSessionTokenFormat } from "./session-token-format.ts";
import { createSessions } from "./sessions.ts";

const key: KeyPrincipal = { kid: "kid000000001", projectId: "prj_1", scopes: [] };
const format = createSessionTokenFormat({
  environment: "test",
  currentEpoch: "A",
  macKeys: new Map([["A", Buffer.alloc(32, 7)]]),
});

async function open(cap: number, existing?: Database) {
  const database = existing ?? (await openDatabase(":memory:"));
  const clock = { ms: 1_800_000_000_000 };
  const now = () => clock.ms;
  const streams = createOpenStreams();
  if (!existing) {
    await database
      .insertInto("project")
      .values({ id: "prj_1", team_id: null, name: "One", demo: 0, created_at_ms: 0 })
      .execute();
  }
  const states = await createProjectStates({
    store: createSqlProjectStateStore(database),
    onOff: () => undefined,
  });
  await states.change({
    projectId: "prj_1",
    actor: "tester",
    settings: { live_sessions_per_owner: cap },
  });
  const revocations = await createRevocations({
    store: createSqlRevocationStore(database),
    streams,
    now,
  });
  const counts = { looks: 0 };
  const store = createSqlSessionStore(database);
  const sessions = await createSessions({
    store: {
      ...store,
      liveOfOwner: (...asked) => {
        counts.looks += 1;
        return store.liveOfOwner(...asked);
      },
    },
    states,
    format,
    streams,
    revocations,
    isKeyRevoked: () => false,
    now,
  });
  const mint = async (owner = "jo") => {
    clock.ms += 1;
    return sessions.create(key, { external_owner_id: owner });
  };
  const isGood = (token: string) =>
    sessions.verify(token).then(
      () => true,
      () => false,
    );
  return { database, clock, streams, revocations, sessions, counts, mint, isGood, states };
}

test("over the cap the session that was idle for longest ends, with its revocation and its audit", async () => {
  const { mint, isGood, sessions, database, clock } = await open(3);
  const [first, second, third] = [await mint(), await mint(), await mint()];
  clock.ms += 1_000;
  sessions.touch(await sessions.verify(first.session_token));
  const fourth = await mint();
  const good = await Promise.all(
    [first, second, third, fourth].map(({ session_token: token }) => isGood(token)),
  );
  expect(good).toEqual([true, false, true, true]);
  const audit = await database.selectFrom("audit").selectAll().orderBy("n", "desc").execute();
  expect(audit[0]).toMatchObject({
    event: "session.limit_evicted",
    actor: "server",
    target: second.session_id,
    project_id: "prj_1",
  });
  const revocation = await database.selectFrom("revocation").select(["kind", "target"]).execute();
  expect(revocation).toEqual([{ kind: "session", target: second.session_id }]);
  expect(await (await open(3, database)).isGood(second.session_token)).toBe(false);
});

test("a session whose answer is being written is the last to end, and is cut if it must", async () => {
  const { mint, isGood, streams } = await open(2);
  const [busy, idle] = [await mint(), await mint()];
  const cuts: string[] = [];
  streams.add(someSession({ sid: busy.session_id }), (reason) => cuts.push(reason));
  const third = await mint();
  expect(await isGood(busy.session_token)).toBe(true);
  expect(await isGood(idle.session_token)).toBe(false);
  streams.add(someSession({ sid: third.session_id }), (reason) => cuts.push(reason));
  await mint();
  expect(cuts).toEqual(["token_revoked"]);
});

test("owners do not share a cap, and sessions without an owner have none", async () => {
  const { mint, isGood, sessions } = await open(1);
  const jo = await mint("jo");
  const kim = await mint("kim");
  const nobody = await sessions.create(key, {});
  await sessions.create(key, {});
  for (const { session_token: token } of [jo, kim, nobody]) expect(await isGood(token)).toBe(true);
});

test("far below the cap no new session costs a read, also after a restart", async () => {
  const { mint, counts, database } = await open(50);
  for (let made = 0; made < 40; made += 1) await mint(`owner ${made % 4}`);
  expect(counts.looks).toBe(0);
  const again = await open(50, database);
  for (let made = 0; made < 40; made += 1) await again.mint(`owner ${made % 4}`);
  expect(again.counts.looks).toBe(0);
});

test("sessions from before a restart count", async () => {
  const first = await open(3);
  const old = [await first.mint(), await first.mint(), await first.mint()];
  const again = await open(3, first.database);
  again.clock.ms = first.clock.ms;
  await again.mint();
  const good = await Promise.all(old.map(({ session_token: token }) => again.isGood(token)));
  expect(good).toEqual([false, true, true]);
});

test("sessions that were ended, or have expired, leave room", async () => {
  const { mint, isGood, sessions, revocations, clock } = await open(2);
  const [one, two] = [await mint(), await mint()];
  await sessions.revoke("prj_1", one.session_id, "tester");
  const three = await mint();
  expect(await isGood(two.session_token)).toBe(true);
  await revocations.revoke({
    projectId: "prj_1",
    targets: [{ kind: "owner", target: "jo" }],
    actor: "tester",
  });
  const [four, five] = [await mint(), await mint()];
  expect(await isGood(three.session_token)).toBe(false);
  for (const { session_token: token } of [four, five]) expect(await isGood(token)).toBe(true);
  clock.ms += 3_601_000;
  const [six, seven] = [await mint(), await mint()];
  for (const { session_token: token } of [six, seven]) expect(await isGood(token)).toBe(true);
});

test("however many sessions are made at the same time, an owner is left with the cap and the last answered is good", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.nat(3), { minLength: 1, maxLength: 24 }),
      fc.infiniteStream(fc.nat(4)),
      async (cap, delays, waits) => {
        const rows: SessionRow[] = [];
        const ended = new Set<string>();
        const pause = async () => {
          for (let turn = waits.next().value ?? 0; turn > 0; turn -= 1) {
            await new Promise((resolve) => setImmediate(resolve));
          }
        };
        const store: Pick<SessionStore, "liveOfOwner" | "liveOwners"> = {
          async liveOfOwner() {
            await pause();
            const found = rows.filter(({ sid }) => !ended.has(sid));
            await pause();
            return found;
          },
          liveOwners: async () => [],
        };
        const live = createLiveSessions({
          store,
          capOf: () => cap,
          isEnded: ({ sid }) => ended.has(sid),
          isBusy: () => false,
          async end({ sid }) {
            await pause();
            ended.add(sid);
          },
          now: () => 1_000,
        });
        await live.warmUp();
        const answered: string[] = [];
        await Promise.all(
          delays.map(async (delay, at) => {
            for (let turn = delay; turn > 0; turn -= 1) {
              await new Promise((resolve) => setImmediate(resolve));
            }
            const row = {
              sid: `ses_${at}`,
              project_id: "prj_1",
              owner: "jo",
              issued_at_ms: at,
              expires_at_s: 3_600,
            } as SessionRow;
            await live.admit(row, async () => {
              await pause();
              rows.push(row);
              await pause();
            });
            answered.push(row.sid);
            const alive = answered.filter((sid) => !ended.has(sid));
            expect(alive.length).toBeLessThanOrEqual(cap);
          }),
        );
        const alive = rows.filter(({ sid }) => !ended.has(sid));
        expect(alive.length).toBe(Math.min(cap, rows.length));
      },
    ),
    { numRuns: 100 },
  );
});

test("while older sessions are still being counted, each new one looks", async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const pages = 8;
  let page = 0;
  let looks = 0;
  const live = createLiveSessions({
    store: {
      async liveOfOwner() {
        looks += 1;
        return [];
      },
      async liveOwners({ limit }) {
        page += 1;
        if (page === pages) await held;
        if (page > pages) return [];
        return Array.from({ length: limit }, (_, at) => ({
          digest: Buffer.from([page, at]),
          project_id: "prj_1",
          owner: `owner ${at}`,
          expires_at_s: 3_600,
        }));
      },
    },
    capOf: () => 50,
    isEnded: () => false,
    isBusy: () => false,
    end: async () => undefined,
    now: () => 1_000,
    pageSize: 4,
  });
  await live.warmUp();
  const row = { sid: "ses_1", project_id: "prj_1", owner: "new", expires_at_s: 3_600 };
  await live.admit(row as SessionRow, async () => undefined);
  expect(looks).toBe(1);
  release();
  while (page <= pages) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  await live.admit(row as SessionRow, async () => undefined);
  expect(looks).toBe(1);
});
