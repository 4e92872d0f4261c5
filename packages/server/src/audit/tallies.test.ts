import { expect, test } from "vitest";
import type { AuditLine } from "./audit.ts";
import { createTallies } from "./tallies.ts";

function open(maxKinds = 200) {
  const written: AuditLine[] = [];
  const clock = { ms: 0 };
  const disk = { isFull: false };
  const recordAll = async (lines: readonly AuditLine[]) => {
    if (disk.isFull) throw new Error("disk full");
    written.push(...lines);
  };
  const tallies = createTallies({ audit: { recordAll }, now: () => clock.ms, maxKinds });
  return { tallies, written, clock, disk };
}

test("a minute of refusals is one line, with a count for each reason and network", async () => {
  const { tallies, written, clock } = open();
  for (let at = 0; at < 1000; at += 1) tallies.refused("invalid_token", "203.0.113.0/24");
  tallies.refused("invalid_api_key", "203.0.113.0/24");
  clock.ms = 60_000;
  await tallies.flush();
  await tallies.flush();
  expect(written).toEqual([
    {
      actor: "server",
      event: "auth.failed",
      detail: {
        from_ms: 0,
        to_ms: 60_000,
        total: 1001,
        counts: [
          { reason: "invalid_token", network: "203.0.113.0/24", times: 1000 },
          { reason: "invalid_api_key", network: "203.0.113.0/24", times: 1 },
        ],
      },
    },
  ]);
});

test("a flood from everywhere stays one line of bounded length, and nothing goes uncounted", async () => {
  const { tallies, written } = open(10);
  for (let at = 0; at < 5000; at += 1) tallies.refused("invalid_token", `10.${at}.0.0/24`);
  await tallies.flush();
  const others = { reason: "invalid_token", network: "others", times: 4990 };
  const counts = expect.arrayContaining([others]);
  expect(written).toMatchObject([{ detail: { total: 5000, counts } }]);
  expect(written[0]).toHaveProperty("detail.counts.length", 11);
});

test("mints are counted by project and key, sign-ins that failed by network", async () => {
  const { tallies, written } = open();
  for (const kid of ["a", "a", "b"]) tallies.minted("prj_1", kid);
  tallies.minted("prj_2", "c");
  tallies.signInFailed("198.51.100.0/24");
  await tallies.flush();
  expect(written.map(({ event, projectId }) => [event, projectId])).toEqual([
    ["console.failed", undefined],
    ["session.minted", "prj_1"],
    ["session.minted", "prj_2"],
  ]);
  expect(written[1]?.detail).toMatchObject({ total: 3, keys: { a: 2, b: 1 } });
});

test("what could not be written is counted on", async () => {
  const { tallies, written, clock, disk } = open();
  tallies.refused("invalid_token", "203.0.113.0/24");
  tallies.minted("prj_1", "a");
  disk.isFull = true;
  clock.ms = 60_000;
  await expect(tallies.flush()).rejects.toThrow("disk full");
  disk.isFull = false;
  tallies.refused("invalid_token", "203.0.113.0/24");
  tallies.minted("prj_1", "a");
  clock.ms = 120_000;
  await tallies.flush();
  expect(written[0]?.detail).toMatchObject({ from_ms: 0, to_ms: 120_000, total: 2 });
  expect(written[1]?.detail).toMatchObject({ total: 2, keys: { a: 2 } });
});
