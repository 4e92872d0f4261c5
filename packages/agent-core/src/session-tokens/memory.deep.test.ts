import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { fetchRefuseReset } from "../testing/over-http-rounds.ts";
import { createSessionTokenManager } from "./session-token-manager.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapMib(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

test("a hundred thousand rounds of fetching, refusing and resetting keep the heap as it was", async () => {
  let issued = 0;
  let nowMs = 0;
  const manager = createSessionTokenManager(
    async () => {
      issued += 1;
      return { token: `token-${issued}-${"x".repeat(200)}`, expiresIn: 3600 };
    },
    // A minute for each round, so that the budget lets every one through.
    { clock: { wall: () => nowMs, mono: () => nowMs } },
  );
  const { signal } = new AbortController();
  const round = async (at: number): Promise<void> => {
    nowMs += 60_000;
    manager.reportRejected(await manager.getToken({ signal }));
    if (at % 10 === 0) manager.reset();
  };
  for (let at = 0; at < 10_000; at += 1) await round(at);
  const before = heapMib();
  for (let at = 0; at < 100_000; at += 1) await round(at);
  expect(issued).toBe(110_000);
  expect(heapMib() - before).toBeLessThan(2);
});

test("a hundred thousand of them over HTTP do so, too, and keep no connection", async () => {
  const { issued, heapGrowthMib, sockets } = await fetchRefuseReset(100_000);
  expect(issued).toBe(110_000);
  expect(heapGrowthMib).toBeLessThan(4);
  expect(sockets).toBeLessThanOrEqual(4);
}, 900_000);
