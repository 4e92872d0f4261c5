import { callHost } from "./call-host.ts";
import type { Timers } from "./session-tokens/types.ts";

/** Holds one immutable value and tells listeners when it changed. */
export interface SnapshotStore<Snapshot> {
  subscribe(listener: () => void): () => void;
  /** The value as last published: the same object until the listeners are told. */
  getSnapshot(): Snapshot;
  /** The newest value, published or not. */
  read(): Snapshot;
  /** Sets fields, and publishes: at once, or together with others in the next frame. */
  update(changes: Partial<Snapshot>, when?: "now" | "next-frame"): void;
}

/** Calls back before the next frame is painted, or some 16 ms later where nothing is painted. */
export type RequestFrame = (callback: () => void) => void;

/** The frame of the environment. A hidden page paints none, so a timer runs beside it. */
export function createRequestFrame(timers: Timers): RequestFrame {
  const { requestAnimationFrame } = globalThis as {
    requestAnimationFrame?: (callback: () => void) => number;
  };
  return (callback) => {
    if (!requestAnimationFrame) {
      timers.set(callback, 16);
      return;
    }
    let done = false;
    const once = (): void => {
      if (done) return;
      done = true;
      timers.clear(timer);
      callback();
    };
    const timer = timers.set(once, 250);
    requestAnimationFrame(once);
  };
}

/** Creates a store. */
export function createSnapshotStore<Snapshot>(
  initial: Snapshot,
  requestFrame: RequestFrame,
): SnapshotStore<Snapshot> {
  const listeners = new Set<() => void>();
  let latest = initial;
  let published = initial;
  let frameIsPending = false;

  function publish(): void {
    if (published === latest) return;
    published = latest;
    // What shows the value may fail; that is no failure of what the value is of.
    for (const listener of [...listeners]) callHost(listener);
  }

  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    getSnapshot: () => published,
    read: () => latest,
    update(changes, when = "now") {
      latest = { ...latest, ...changes };
      if (when === "now") {
        publish();
        return;
      }
      if (frameIsPending) return;
      frameIsPending = true;
      requestFrame(() => {
        frameIsPending = false;
        publish();
      });
    },
  };
}
