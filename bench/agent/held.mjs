import { readStream } from "./client.mjs";

const inOneGo = 64;

/**
 * Resident memory of each stream that is held open, its run paused in the model after one delta.
 * Afterwards the model goes on, and every stream has to end well.
 */
export async function measureHeld({ server, ask }, count) {
  const order = { deltas: 3, delta: "some more words ", pace: "hold" };
  // What the first requests of all cost is no stream's.
  for (let at = 0; at < 20; at += 1) await readStream(ask({ ...order, pace: "turn" })).whole;
  const before = await server.residentBytes();
  const streams = [];
  for (let at = 0; at < count; at += inOneGo) {
    const group = Array.from({ length: Math.min(inOneGo, count - at) }, () =>
      readStream(ask(order)),
    );
    await Promise.all(group.map(({ first }) => first));
    streams.push(...group);
  }
  const held = await server.residentBytes();
  server.tell("release");
  const ended = await Promise.allSettled(streams.map(({ whole }) => whole));
  const lost = ended.filter(({ status }) => status === "rejected");
  if (lost.length > 0) throw new Error(`${lost.length} streams were lost: ${lost[0].reason}`);
  return { bytes: (held - before) / count, held: count };
}
