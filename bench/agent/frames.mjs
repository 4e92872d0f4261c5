import { countDeltas, readStream } from "./client.mjs";

/** Sixteen bytes, about three tokens. */
const delta = "some more words ";

/**
 * Processor time of a server's process for each delta that it streams, its other frames included.
 *
 * @param {object} options
 * @param {"turn" | "burst"} options.pace
 */
export async function measureFrames({ lanes, pace, rounds, streams, answers, deltas, warmUps }) {
  const windows = new Map(lanes.map(({ id }) => [id, []]));
  const window = async ({ ask, server }) => {
    const before = await server.cpuUs();
    await Promise.all(
      Array.from({ length: streams }, async () => {
        for (let at = 0; at < answers; at += 1) {
          const text = await readStream(ask({ deltas, delta, pace })).whole;
          const came = countDeltas(text);
          if (came !== deltas) throw new Error(`${came} of ${deltas} deltas came.`);
        }
      }),
    );
    return ((await server.cpuUs()) - before) / (streams * answers * deltas);
  };
  for (const lane of lanes) for (let at = 0; at < warmUps; at += 1) await window(lane);
  for (let round = 0; round < rounds; round += 1) {
    for (const lane of lanes) windows.get(lane.id).push(await window(lane));
  }
  return windows;
}
