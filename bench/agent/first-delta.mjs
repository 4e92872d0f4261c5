import { firstDelta, readStream } from "./client.mjs";

/**
 * From the request to the first delta in the client, for a model that speaks at once: one request
 * at a time, each with a question of its own.
 */
export async function measureFirstDelta({ lanes, rounds, requests, warmUps }) {
  const found = new Map(lanes.map(({ id }) => [id, []]));
  const one = async ({ ask }) => {
    const request = ask({ deltas: 3, delta: "word ", pace: "turn", stamps: true });
    const startNs = process.hrtime.bigint();
    const { first, whole } = readStream(request);
    const text = await first;
    const endNs = process.hrtime.bigint();
    await whole;
    const [askedNs, saidNs] = firstDelta(text).trim().split(" ").map(BigInt);
    const ms = (ns) => Number(ns) / 1e6;
    return {
      // What the model itself took is not ours.
      overheadMs: ms(endNs - startNs - (saidNs - askedNs)),
      beforeMs: ms(askedNs - startNs),
      afterMs: ms(endNs - saidNs),
    };
  };
  for (const lane of lanes) for (let at = 0; at < warmUps; at += 1) await one(lane);
  for (let round = 0; round < rounds; round += 1) {
    for (const lane of lanes) {
      const times = [];
      const cpuBefore = await lane.server.cpuUs();
      for (let at = 0; at < requests; at += 1) times.push(await one(lane));
      const cpuUs = (await lane.server.cpuUs()) - cpuBefore;
      found.get(lane.id).push({
        cpuMs: cpuUs / 1000 / requests,
        overheadMs: middle(times.map(({ overheadMs }) => overheadMs)),
        beforeMs: middle(times.map(({ beforeMs }) => beforeMs)),
        afterMs: middle(times.map(({ afterMs }) => afterMs)),
        p99Ms: times.map(({ overheadMs }) => overheadMs).sort((a, b) => a - b)[
          Math.floor(times.length * 0.99)
        ],
      });
    }
  }
  return found;
}

function middle(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
