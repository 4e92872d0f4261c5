import FakeTimers from "@sinonjs/fake-timers";

const { setImmediate: realImmediate } = globalThis;
/** A peer that calls without a pause would never let a step end. */
const mostSteps = 20_000;

/**
 * Puts a clock in the place of the real one that moves only when it is told to. Peers are loaded
 * before, so that what they took of the real one when they were loaded stays real.
 */
export function installVirtualClock() {
  const clock = FakeTimers.install({
    now: Date.UTC(2026, 0, 5, 9),
    toFake: ["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
  });

  /** Lets everything settle that can: promises, streams, the event loop's own turns. */
  async function flush(turns = 6) {
    for (let turn = 0; turn < turns; turn += 1) {
      await new Promise((resolve) => realImmediate(resolve));
    }
  }

  return {
    /** Moves time, firing what falls due on the way, in order. */
    async advance(ms) {
      const until = clock.now + ms;
      await flush();
      for (let step = 0; step < mostSteps; step += 1) {
        const next = Math.min(...[...(clock.timers?.values() ?? [])].map(({ callAt }) => callAt));
        if (!(next <= until)) break;
        clock.tick(Math.max(0, next - clock.now));
        await flush();
      }
      if (clock.now < until) clock.tick(until - clock.now);
      // A database in memory takes a turn for each of its steps.
      await flush(400);
    },
    now: () => clock.now,
  };
}
