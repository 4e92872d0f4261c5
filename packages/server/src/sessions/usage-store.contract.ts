import { expect, test } from "vitest";
import { useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";
import { createSqlUsageStore } from "../database/usage-store.ts";

/** What every `UsageStore` promises. */
export function usageStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const store = () => createSqlUsageStore(place.database);
  const turnOf = (projectId: string, maxTurns?: number, sid = `ses_of_${projectId}`) => ({
    sid,
    projectId,
    untilS: 2_000,
    maxTurns,
  });
  const onDay = (max: number, day = "2026-03-17") =>
    ({ day: { day, kind: "visitor_turns", max } }) as const;
  const kinds = (taken: readonly { kind: string }[]) => taken.map(({ kind: what }) => what);

  test(`${kind.name}: of any number of turns asked for at the same time, as many are taken as there are`, async () => {
    const projectId = await place.newProject();
    const asked = Array.from({ length: 25 }, () => store().takeTurn(turnOf(projectId, 10)));
    const taken = kinds(await Promise.all(asked));
    expect(taken.filter((what) => what === "taken")).toHaveLength(10);
    expect(taken.filter((what) => what === "session-over")).toHaveLength(15);
    await place.reopen();
    expect(await store().read(projectId, `ses_of_${projectId}`)).toEqual({
      turns: 10,
      modelTokens: 0,
    });
  });

  test(`${kind.name}: all sessions of a project share the day, and what the day refuses costs the session nothing`, async () => {
    const projectId = await place.newProject();
    const sids = Array.from({ length: 20 }, (_, at) => `ses_${at}_of_${projectId}`);
    const taken = kinds(
      await Promise.all(
        sids.map((sid) => store().takeTurn({ ...turnOf(projectId, 5, sid), ...onDay(7) })),
      ),
    );
    expect(taken.filter((what) => what === "taken")).toHaveLength(7);
    expect(taken.filter((what) => what === "day-over")).toHaveLength(13);
    const used = await Promise.all(sids.map((sid) => store().read(projectId, sid)));
    expect(used.reduce((sum, { turns }) => sum + turns, 0)).toBe(7);
    await place.reopen();
    expect(await store().readDay(projectId, "2026-03-17", "visitor_turns")).toBe(7);
    const tomorrow = { ...turnOf(projectId, 5, "ses_tomorrow"), ...onDay(7, "2026-03-18") };
    expect((await store().takeTurn(tomorrow)).kind).toBe("taken");
  });

  test(`${kind.name}: a turn that is given back can be taken again, by the session and by the day`, async () => {
    const projectId = await place.newProject();
    const turn = { ...turnOf(projectId, 1), ...onDay(1) };
    expect((await store().takeTurn(turn)).kind).toBe("taken");
    expect((await store().takeTurn(turn)).kind).toBe("session-over");
    await store().giveBackTurn(turn);
    expect(await store().readDay(projectId, "2026-03-17", "visitor_turns")).toBe(0);
    expect((await store().takeTurn(turn)).kind).toBe("taken");
  });

  test(`${kind.name}: tokens of the model add up, and nobody else's project sees them`, async () => {
    const projectId = await place.newProject();
    const session = turnOf(projectId);
    await Promise.all([5, 7, 11].map((tokens) => store().addModelTokens(session, tokens)));
    const taken = await store().takeTurn(session);
    expect(taken).toEqual({ kind: "taken", usage: { turns: 1, modelTokens: 23 } });
    expect(await store().read(await place.newProject(), session.sid)).toEqual({
      turns: 0,
      modelTokens: 0,
    });
  });
}
