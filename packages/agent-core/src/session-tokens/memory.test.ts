import { expect, test } from "vitest";
import { fetchRefuseReset } from "../testing/over-http-rounds.ts";

test("hundreds of rounds of fetching over HTTP, refusing and resetting keep heap and connections as they were", async () => {
  const { issued, heapGrowthMib, sockets } = await fetchRefuseReset(400);
  expect(issued).toBe(440);
  expect(heapGrowthMib).toBeLessThan(4);
  expect(sockets).toBeLessThanOrEqual(4);
}, 60_000);
