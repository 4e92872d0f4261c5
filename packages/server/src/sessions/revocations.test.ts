import { expect, test } from "vitest";
import type { KeyPrincipal } from "../api-keys/key-mirror.ts";
import { createCleanUp } from "../clean-up/clean-up.ts";
import { createSqlCleanUpStore } from "../database/clean-up-store.ts";
import { type Database, openDatabase } from "../database/database.ts";
import { createSqlProjectStateStore } from "../database/project-state-store.ts";
import { createSqlRevocationStore } from "../database/revocation-store.ts";
import { createSqlSessionStore } from "../database/session-store.ts";
import type { ProblemError } from "../http/problem-answer.ts";
import { createProjectStates } from "../projects/project-states.ts";
import { createOpenStreams } from "./open-streams.ts";
import { createRevocations } from "./revocations.ts";
import { createSessionTokenFormat } from "./session-token-format.ts";
import { createSessions } from "./sessions.ts";

const format = createSessionTokenFormat({
  environment: "test",
  currentEpoch: "A",
  macKeys: new Map([["A", Buffer.alloc(32, 7)]]),
});
const startMs = 1_800_000_000_000;

async function open(existing?: Database, clock = { ms: startMs }) {
  const database = existing ?? (await openDatabase(":memory:"));
  const streams = createOpenStreams();
  const now = () => clock.ms;
  const revocations = await createRevocations({
    store: createSqlRevocationStore(database),
    streams,
    now,
  });
  const sessions = await createSessions({
    store: createSqlSessionStore(database),
    states: await createProjectStates({
      store: createSqlProjectStateStore(database),
      onOff: () => undefined,
    }),
    format,
    streams,
    revocations,
    isKeyRevoked: () => false,
    now,
  });
  return { database, clock, streams, revocations, sessions };
}

const keyOf = (projectId: string, kid = "kid000000001"): KeyPrincipal => ({
  kid,
  projectId,
  scopes: [],
});
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "ok",
    (error: ProblemError) => error.code,
  );

test("an owner's sessions end at once, their streams are cut, and nobody else's are", async () => {
  const { sessions, streams, revocations } = await open();
  const mint = (owner: string, projectId = "prj_1") =>
    sessions.create(keyOf(projectId), { external_owner_id: owner });
  const [theirs, others, elsewhere] = [
    await mint("jo"),
    await mint("kim"),
    await mint("jo", "prj_2"),
  ];
  const cuts: string[] = [];
  for (const { session_token: token, session_id: sid } of [theirs, others, elsewhere]) {
    streams.add(await sessions.verify(token), () => cuts.push(sid));
  }
  const cut = await revocations.revoke({
    projectId: "prj_1",
    targets: [{ kind: "owner", target: "jo" }],
    actor: "a",
  });
  expect([cut, cuts]).toEqual([[1], [theirs.session_id]]);
  const codes = [theirs, others, elsewhere].map((each) =>
    codeOf(sessions.verify(each.session_token)),
  );
  expect(await Promise.all(codes)).toEqual(["token_revoked", "ok", "ok"]);
  const row = await sessions.get("prj_1", theirs.session_id);
  expect(row.revoked_at_ms).toBe(startMs);
  expect((await sessions.get("prj_1", others.session_id)).revoked_at_ms).toBeNull();
});

test("what was made after the instant named lives on, and an earlier instant brings nothing back", async () => {
  const { sessions, revocations, clock } = await open();
  const targets = [{ kind: "project", target: "prj_1" }] as const;
  const early = await sessions.create(keyOf("prj_1"), {});
  clock.ms += 1_000;
  const late = await sessions.create(keyOf("prj_1"), {});
  clock.ms += 1_000;
  const revoke = (issuedBeforeMs: number) =>
    revocations.revoke({ projectId: "prj_1", targets, issuedBeforeMs, actor: "a" });
  await revoke(startMs + 500);
  expect(await codeOf(sessions.verify(early.session_token))).toBe("token_revoked");
  expect(await codeOf(sessions.verify(late.session_token))).toBe("ok");
  await revoke(startMs + 1_500);
  await revoke(startMs);
  expect(await codeOf(sessions.verify(late.session_token))).toBe("token_revoked");
  await expect(revoke(clock.ms + 60_000)).rejects.toMatchObject({
    code: "invalid_request",
    details: { field: "issued_before" },
  });
});

test("who is blocked gets no session under any key of the project until unblocked", async () => {
  const { sessions, revocations, database, clock } = await open();
  const mint = (kid: string, projectId = "prj_1") =>
    codeOf(sessions.create(keyOf(projectId, kid), { external_owner_id: "jo" }));
  const targets = [{ kind: "owner", target: "jo" }] as const;
  const change = { projectId: "prj_1", targets, actor: "a" };
  await revocations.revoke({ ...change, block: true, reason: "spam" });
  expect([await mint("kid_a"), await mint("kid_b"), await mint("kid_a", "prj_2")]).toEqual([
    "owner_blocked",
    "owner_blocked",
    "ok",
  ]);
  expect(revocations.blocked("prj_1")).toEqual([
    { projectId: "prj_1", kind: "owner", target: "jo" },
  ]);
  const restarted = await open(database, clock);
  const again = restarted.sessions.create(keyOf("prj_1"), { external_owner_id: "jo" });
  expect(await codeOf(again)).toBe("owner_blocked");
  await revocations.revoke({ ...change, block: false });
  expect(await mint("kid_a")).toBe("ok");
  // People stand in the audit by reference alone.
  const reference = expect.stringMatching(/^owner:ref_[\w-]{22}$/);
  const lines = await database.selectFrom("audit").select(["event", "target"]).execute();
  expect(lines).toEqual([
    { event: "owner.blocked", target: reference },
    { event: "owner.unblocked", target: reference },
  ]);
  const odd = revocations.revoke({
    projectId: "prj_1",
    targets: [...targets, { kind: "key", target: "kid_a" }],
    block: true,
    actor: "a",
  });
  await expect(odd).rejects.toMatchObject({ details: { field: "block" } });
});

test("a change that cannot be written changes nothing", async () => {
  const { database, streams } = await open();
  const store = createSqlRevocationStore(database);
  const revocations = await createRevocations({
    store: { ...store, apply: () => Promise.reject(new Error("disk full")) },
    streams,
  });
  const targets = [{ kind: "owner", target: "jo" }] as const;
  await expect(
    revocations.revoke({ projectId: "prj_1", targets, block: true, actor: "a" }),
  ).rejects.toThrow("disk full");
  expect(revocations.isBlocked("prj_1", { owner: "jo", visitorId: null })).toBe(false);
});

test("what memory knows of a block is what the database has, however the answers come in", async () => {
  const { database, streams } = await open();
  const store = createSqlRevocationStore(database);
  let written = 0;
  const revocations = await createRevocations({
    store: {
      ...store,
      async apply(change) {
        await store.apply(change);
        written += 1;
        // The first answer comes late: a second change has time to be written before it.
        for (let at = 0; at < 20 && written === 1; at += 1) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    },
    streams,
  });
  const change = {
    projectId: "prj_1",
    targets: [{ kind: "owner", target: "jo" }],
    actor: "a",
  } as const;
  await Promise.all([
    revocations.revoke({ ...change, block: true }),
    revocations.revoke({ ...change, block: false }),
  ]);
  expect(await store.blocks()).toEqual([]);
  expect(revocations.blocked("prj_1")).toEqual([]);
});

test("a revocation after a restart ends what was made before it, though the clock was set back meanwhile", async () => {
  const { sessions, database, clock } = await open();
  const early = await sessions.create(keyOf("prj_1"), {});
  clock.ms -= 60_000;
  const restarted = await open(database, clock);
  await restarted.revocations.revoke({
    projectId: "prj_1",
    targets: [{ kind: "project", target: "prj_1" }],
    actor: "a",
  });
  expect(await codeOf(restarted.sessions.verify(early.session_token))).toBe("token_revoked");
  const late = await restarted.sessions.create(keyOf("prj_1"), {});
  expect(await codeOf(restarted.sessions.verify(late.session_token))).toBe("ok");
});

test("a clock that was ahead for a while and is put right again brings no session back", async () => {
  const { sessions, revocations, database, clock } = await open();
  const { session_token: token } = await sessions.create(keyOf("prj_1"), {});
  await revocations.revoke({
    projectId: "prj_1",
    targets: [{ kind: "project", target: "prj_1" }],
    actor: "a",
  });
  clock.ms += 3 * 3_600_000 - 5_000;
  await createCleanUp({ store: createSqlCleanUpStore(database), now: () => clock.ms }).run();
  const ahead = await open(database, clock);
  expect(await codeOf(ahead.sessions.verify(token))).toBe("token_expired");
  clock.ms = startMs + 1_000;
  expect(await codeOf(ahead.sessions.verify(token))).toBe("token_revoked");
});

test("a revocation by a clock that was put right ends what was made by it before, though a server was started in between", async () => {
  const { sessions, database, clock } = await open();
  const { session_token: token } = await sessions.create(keyOf("prj_1"), {});
  clock.ms += 2 * 3_600_000;
  const ahead = await open(database, clock);
  clock.ms = startMs - 1_000;
  await ahead.revocations.revoke({
    projectId: "prj_1",
    targets: [{ kind: "project", target: "prj_1" }],
    actor: "a",
  });
  expect(await codeOf(ahead.sessions.verify(token))).toBe("token_revoked");
});

test("memory lets go of revocations when no session is left that they could end, and not before", async () => {
  const { sessions, revocations, clock } = await open();
  const ttl_seconds = 3_600;
  const { session_token: theirs } = await sessions.create(keyOf("prj_1"), {
    external_owner_id: "jo",
    ttl_seconds,
  });
  const other = await sessions.create(keyOf("prj_1"), { ttl_seconds });
  const targets = [{ kind: "owner" as const, target: "jo" }];
  await revocations.revoke({ projectId: "prj_1", targets, actor: "a" });
  await sessions.revoke("prj_1", other.session_id, "a");
  const forget = () => [revocations.forgetOver(clock.ms), sessions.forgetOver(clock.ms)];
  clock.ms = startMs + ttl_seconds * 1000 - 1;
  expect(forget()).toEqual([0, 0]);
  expect(await codeOf(sessions.verify(theirs))).toBe("token_revoked");
  expect(await codeOf(sessions.verify(other.session_token))).toBe("token_revoked");
  clock.ms = startMs + 27 * 3_600_000;
  expect(forget()).toEqual([1, 1]);
  expect(forget()).toEqual([0, 0]);
});
