import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApiKeys } from "../api-keys/api-keys.ts";
import { createSqlApiKeyStore } from "../database/api-key-store.ts";
import type { Database } from "../database/database.ts";
import { createSqlProjectStateStore } from "../database/project-state-store.ts";
import { createSqlRevocationStore } from "../database/revocation-store.ts";
import { createSqlSessionStore } from "../database/session-store.ts";
import { type TestDatabase, testDatabases } from "../database/testing/test-databases.ts";
import { createProjectStates } from "../projects/project-states.ts";
import { clockErrorMs } from "./issue-clock.ts";
import { createOpenStreams } from "./open-streams.ts";
import { createRevocations } from "./revocations.ts";
import { createSessionTokenFormat } from "./session-token-format.ts";
import { createSessions } from "./sessions.ts";
import { createLifeOracle } from "./testing/life-oracle.ts";

const format = createSessionTokenFormat({
  environment: "test",
  currentEpoch: "A",
  macKeys: new Map([["A", Buffer.alloc(32, 7)]]),
});
const secrets = {
  currentEpoch: "A",
  pepper: new Map([["A", randomBytes(32)]]),
  keyCopy: randomBytes(32),
};
const startMs = 1_800_000_000_000;
const minuteMs = 60_000;

/** A server's keys and sessions, as it opens them over what is stored. */
async function open(database: Database, clock: { ms: number }) {
  const now = () => clock.ms;
  const streams = createOpenStreams();
  const keys = await createApiKeys({ store: createSqlApiKeyStore(database), secrets, now });
  const revocations = await createRevocations({
    store: createSqlRevocationStore(database),
    streams,
    now,
  });
  const states = await createProjectStates({
    store: createSqlProjectStateStore(database),
    onOff: () => undefined,
    now,
  });
  const sessions = await createSessions({
    store: createSqlSessionStore(database),
    format,
    streams,
    isKeyRevoked: keys.refusesSessions,
    revocations,
    states,
    now,
  });
  return { keys, revocations, sessions };
}

const ownerOf = fc.option(fc.constantFrom("jo", "kim"));
const visitorOf = fc.option(fc.constantFrom("v1", "v2"));
const on = { project: fc.nat(1), which: fc.nat(30) };
const act = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("make key" as const), ...on }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("mint" as const),
      ...on,
      owner: ownerOf,
      visitor: visitorOf,
      ttlSeconds: fc.constantFrom(60, 600, 3_600),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("end many" as const),
      ...on,
      kind: fc.constantFrom(
        "owner" as const,
        "visitor" as const,
        "key" as const,
        "project" as const,
      ),
      name: fc.nat(1),
      beforeMs: fc.option(fc.integer({ min: -90 * minuteMs, max: 0 }), { freq: 2 }),
      block: fc.option(fc.boolean(), { freq: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("end one" as const), ...on }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("change key" as const),
      ...on,
      how: fc.constantFrom("disable", "enable", "revoke", "rotate", "rotate now", "end grace"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("set clock" as const),
      // Back by as much as an hour, too: clocks are put right.
      ms: fc.oneof(
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: -60 * minuteMs, max: -1 }),
        fc.integer({ min: 1, max: 90 * minuteMs }),
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);
type Act = typeof act extends fc.Arbitrary<infer Value> ? Value : never;

const answerOf = (work: () => unknown): Promise<string> =>
  (async () => work())().then(
    () => "ok",
    (error: { code?: string }) => error.code ?? String(error),
  );

let runs = 0;
async function live(database: Database, acts: readonly Act[]): Promise<void> {
  runs += 1;
  const projects = [`prj_${runs}_a`, `prj_${runs}_b`] as const;
  for (const id of projects) {
    await database
      .insertInto("project")
      .values({ id, team_id: null, name: id, demo: 0, created_at_ms: startMs })
      .execute();
  }
  const clock = { ms: startMs };
  let latestMs = startMs;
  const oracle = createLifeOracle();
  let server = await open(database, clock);

  async function take(step: Act): Promise<void> {
    if (step.do === "set clock") {
      latestMs = Math.max(latestMs, clock.ms + step.ms);
      clock.ms = Math.max(clock.ms + step.ms, latestMs - clockErrorMs);
      return;
    }
    if (step.do === "restart") {
      server = await open(database, clock);
      return;
    }
    const { keys, sessions } = server;
    const project = projects[step.project] ?? projects[0];
    const key = oracle.keys.filter((each) => each.project === project)[step.which % 3];
    const truth = { isRevoked: false, isOff: false, isReplaced: false, goneAtMs: Infinity };
    if (step.do === "make key" || (step.do !== "end many" && !key)) {
      const { row, secret } = await keys.create({ projectId: project, name: "k", actor: "a" });
      oracle.keys.push({ project, kid: row.kid, secret, ...truth });
      return;
    }
    if (step.do === "mint" && key) {
      const { owner, visitor, ttlSeconds } = step;
      const expected = oracle.keyAnswer(key, clock.ms);
      expect(await answerOf(() => keys.verify(key.secret))).toBe(expected);
      if (expected !== "ok") return;
      const minted = sessions.create(keys.verify(key.secret), {
        ttl_seconds: ttlSeconds,
        ...(owner !== null && { external_owner_id: owner }),
        ...(visitor !== null && { visitor_id: visitor }),
      });
      if (!oracle.mayHave(project, owner, visitor)) {
        expect(await answerOf(() => minted)).toBe("owner_blocked");
        return;
      }
      const { session_token: token, session_id: sid } = await minted;
      const { issued_at_ms: issuedAtMs } = await sessions.get(project, sid);
      const endsAtMs = (Math.ceil(clock.ms / 1000) + ttlSeconds) * 1000;
      const session = { project, key, owner, visitor, token, sid, issuedAtMs, endsAtMs };
      oracle.sessions.push({ ...session, isOver: false });
      return;
    }
    if (step.do === "end one") {
      const session = oracle.sessions[step.which % Math.max(1, oracle.sessions.length)];
      if (!session) return;
      await sessions.revoke(session.project, session.sid, "a");
      session.isOver = true;
      return;
    }
    if (step.do === "change key" && key) return changeKey(step.how, key);
    if (step.do === "end many") return endMany(step, project, key);
  }

  async function endMany(
    { kind, name, beforeMs, block }: Extract<Act, { do: "end many" }>,
    project: string,
    key: (typeof oracle.keys)[number] | undefined,
  ): Promise<void> {
    const target = {
      owner: name === 0 ? "jo" : "kim",
      visitor: name === 0 ? "v1" : "v2",
      key: key?.kid ?? "kid_of_nobody",
      project,
    }[kind];
    const isPerson = kind === "owner" || kind === "visitor";
    const blocks = isPerson ? block : null;
    const issuedBeforeMs = beforeMs === null ? undefined : clock.ms + beforeMs;
    await server.revocations.revoke({
      projectId: project,
      targets: [{ kind, target }],
      actor: "a",
      ...(issuedBeforeMs !== undefined && { issuedBeforeMs }),
      ...(blocks !== null && { block: blocks }),
    });
    if (blocks === true) oracle.blocked.add(`${project} ${kind} ${target}`);
    if (blocks === false) oracle.blocked.delete(`${project} ${kind} ${target}`);
    else oracle.end(project, kind, target, issuedBeforeMs);
  }

  async function changeKey(how: string, key: (typeof oracle.keys)[number]): Promise<void> {
    const one = { projectId: key.project, kid: key.kid, actor: "a" };
    const { keys } = server;
    if (how === "revoke") {
      await keys.revoke(one);
      key.isRevoked = true;
    } else if (how === "disable" || how === "enable") {
      const answer = await answerOf(() => keys[how](one));
      expect(answer).toBe(key.isRevoked ? "conflict" : "ok");
      if (!key.isRevoked) key.isOff = how === "disable";
    } else if (how === "end grace") {
      if (!key.isReplaced || key.isRevoked) return;
      await keys.endGrace(one);
      key.goneAtMs = Math.min(key.goneAtMs, clock.ms);
    } else {
      const overlapMs = how === "rotate" ? 30 * minuteMs : 0;
      if (key.isReplaced || key.isRevoked) {
        expect(await answerOf(() => keys.rotate(one, { overlapMs }))).toBe("conflict");
        return;
      }
      const { made } = await keys.rotate(one, { overlapMs });
      Object.assign(key, { isReplaced: true, goneAtMs: clock.ms + overlapMs });
      const fresh = { isRevoked: false, isOff: false, isReplaced: false, goneAtMs: Infinity };
      const { kid } = made.row;
      oracle.keys.push({ project: key.project, kid, secret: made.secret, ...fresh });
    }
  }

  for (const step of acts) {
    await take(step);
    const told: string[] = [];
    for (const { token } of oracle.sessions) {
      told.push(await answerOf(() => server.sessions.verify(token)));
    }
    expect(told).toEqual(oracle.sessions.map((each) => oracle.sessionAnswer(each, clock.ms)));
    const kept = projects.flatMap((project) => server.revocations.blocked(project));
    const names = kept.map(({ projectId, kind, target }) => `${projectId} ${kind} ${target}`);
    expect(names.sort()).toEqual([...oracle.blocked].sort());
    const answers = oracle.keys.map(({ kid }) => server.keys.refusal(kid) ?? "ok");
    expect(answers).toEqual(oracle.keys.map((key) => oracle.keyAnswer(key, clock.ms)));
  }
}

for (const kind of await testDatabases()) {
  describe(kind.name, () => {
    let made: TestDatabase;
    beforeAll(async () => {
      made = await kind.create();
    });
    afterAll(() => made.drop());

    test("after any acts, restarts and settings of the clock, exactly those keys and sessions are good that the acts left good", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 40, size: "max" }), (acts) =>
          live(made.database, acts),
        ),
        { numRuns: kind.name === "SQLite" ? 60 : 15 },
      );
    }, 120_000);
  });
}
