import type { Timers } from "./session-tokens/types.ts";
import { untilAborted } from "./until-aborted.ts";

/** Work that was not done in its time. */
export const timeUp: unique symbol = Symbol("time up");

/** The longest delay that timers can keep; beyond it they fire at once. */
const longestMs = 2 ** 31 - 1;

/**
 * What the work gives, unless the signal fires or its time is up before: it is not waited for any
 * longer then, whether it heeds its own signal or not.
 *
 * @param timeoutMs `Infinity` for no limit.
 * @throws {@link timeUp}, the signal's reason, or what the work throws.
 */
export async function withinTime<Value>(
  work: (signal: AbortSignal) => Value | PromiseLike<Value>,
  timeoutMs: number,
  signal: AbortSignal,
  timers: Timers,
): Promise<Value> {
  const own = new AbortController();
  const forward = (): void => own.abort(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", forward, { once: true });
  const timer = timeoutMs <= longestMs ? timers.set(() => own.abort(timeUp), timeoutMs) : undefined;
  try {
    return await untilAborted(work(own.signal), own.signal);
  } finally {
    if (timer !== undefined) timers.clear(timer);
    signal.removeEventListener("abort", forward);
  }
}
