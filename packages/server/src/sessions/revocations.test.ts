import fc from "fast-check";
import { expect, test } from "vitest";
import type { KeyPrincipal } from "../api-keys/key-mirror.ts";
import { type Database, openDatabase } from "../database/database.ts";
import { createSqlProjectStateStore } from "../database/project-state-store.ts";
import { createSqlRevocationStore } from "../database/revocation-store.ts";
import { createSqlSessionStore } from "../database/session-store.ts";
import type { ProblemError } from "../http/problem-answer.ts";
import { createProjectStates } from "../projects/project-states.ts";
import { createOpenStreams } from "./open-streams.ts";
import { createRevocations, type RevocationKind } from "./revocations.ts";
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

const owners = ["jo", "kim"];
const visitors = ["v1", "v2"];
const kids = ["kid000000001", "kid000000002"];
const projects = ["prj_1", "prj_2"];
const step = fc.oneof(
  fc.record({
    do: fc.constant("mint" as const),
    project: fc.constantFrom(...projects),
    kid: fc.constantFrom(...kids),
    owner: fc.option(fc.constantFrom(...owners)),
    visitor: fc.option(fc.constantFrom(...visitors)),
  }),
  fc.record({
    do: fc.constant("revoke" as const),
    project: fc.constantFrom(...projects),
    kind: fc.constantFrom<RevocationKind[]>("owner", "visitor", "key", "project"),
    which: fc.nat(1),
    beforeMs: fc.option(fc.integer({ min: -3_000_000, max: 0 })),
    block: fc.option(fc.boolean()),
  }),
  fc.record({ do: fc.constant("end" as const), at: fc.nat(20) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 2_000_000 }) }),
  fc.record({ do: fc.constant("restart" as const) }),
);

test("after any sequence of acts and restarts, exactly those sessions live that the acts left alive", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let server = await open();
      const { database, clock } = server;
      // The oracle: what was made, and what was said about it, in order.
      const made: Record<string, string | number | null | undefined>[] = [];
      const blocked = new Set<string>();
      for (const act of steps) {
        if (act.do === "wait") clock.ms += act.ms;
        if (act.do === "restart") server = await open(database, clock);
        if (act.do === "mint") {
          // What is made in the millisecond of a revocation counts as made before it.
          clock.ms += 1;
          const request = {
            ...(act.owner !== null && { external_owner_id: act.owner }),
            ...(act.visitor !== null && { visitor_id: act.visitor }),
          };
          const isBlocked =
            blocked.has(`${act.project} owner ${act.owner}`) ||
            blocked.has(`${act.project} visitor ${act.visitor}`);
          const minted = server.sessions.create(keyOf(act.project, act.kid), request);
          if (isBlocked) expect(await codeOf(minted)).toBe("owner_blocked");
          else {
            const { session_token: token, session_id: sid } = await minted;
            const { project, owner, visitor, kid: key } = act;
            made.push({ token, sid, project, owner, visitor, key, atMs: clock.ms });
          }
        }
        if (act.do === "end") {
          const one = made[act.at % Math.max(1, made.length)];
          if (one) await server.sessions.revoke(String(one.project), String(one.sid), "a");
          if (one) one.over = 1;
        }
        if (act.do === "revoke") {
          const target = { owner: owners, visitor: visitors, key: kids, project: [act.project] };
          const name = String(target[act.kind][act.which % target[act.kind].length]);
          const block = act.kind === "owner" || act.kind === "visitor" ? act.block : null;
          const untilMs = clock.ms + (act.beforeMs ?? 0);
          await server.revocations.revoke({
            projectId: act.project,
            targets: [{ kind: act.kind, target: name }],
            issuedBeforeMs: untilMs,
            actor: "a",
            ...(block !== null && { block }),
          });
          if (block === true) blocked.add(`${act.project} ${act.kind} ${name}`);
          if (block === false) blocked.delete(`${act.project} ${act.kind} ${name}`);
          for (const one of block === false ? [] : made) {
            const isMeant = one.project === act.project && one[act.kind] === name;
            if (isMeant && Number(one.atMs) <= untilMs) one.over = 1;
          }
        }
        for (const one of made) {
          const isExpired = clock.ms >= Math.ceil(Number(one.atMs) / 1000) * 1000 + 3_600_000;
          const expected = isExpired ? "token_expired" : one.over ? "token_revoked" : "ok";
          expect(await codeOf(server.sessions.verify(String(one.token)))).toBe(expected);
        }
      }
      await database.destroy();
    }),
    { numRuns: 60 },
  );
});
