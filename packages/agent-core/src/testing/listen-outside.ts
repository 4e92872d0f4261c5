import { listenersFault } from "./token-machine.ts";

/** What a sequence must not cause anywhere else. */
export interface Outside {
  /** Rejections and exceptions that nobody handled, and what was written or said. */
  readonly heard: unknown[];
  end(): void;
}

const events = ["unhandledRejection", "uncaughtException"] as const;
const places = [
  "localStorage",
  "sessionStorage",
  "indexedDB",
  "caches",
  "BroadcastChannel",
  "history",
];
const sayings = ["log", "info", "warn", "error", "debug"] as const;

/** Listens until it is ended. The test runner's own listeners would hear the same, without a seed. */
export function listenOutside(): Outside {
  const heard: unknown[] = [];
  const onFault = (fault: unknown): void => void heard.push(fault);
  const others = events.map((event) => [event, process.rawListeners(event)] as const);
  for (const event of events) {
    process.removeAllListeners(event);
    process.on(event, onFault);
  }
  const before = new Map(
    places.map((place) => [place, Object.getOwnPropertyDescriptor(globalThis, place)]),
  );
  for (const place of places) {
    Object.defineProperty(globalThis, place, {
      configurable: true,
      get: () => void heard.push(`${place} was looked at`),
    });
  }
  const console_ = { ...console };
  for (const saying of sayings) {
    console[saying] = (...said) => {
      // A listener's own fault is told in the console, and nothing else is.
      if (saying !== "error" || said[0] !== listenersFault) heard.push(said);
    };
  }
  return {
    heard,
    end() {
      for (const [event, listeners] of others) {
        process.removeAllListeners(event);
        for (const listener of listeners) process.on(event, listener as never);
      }
      for (const [place, descriptor] of before) {
        if (descriptor) Object.defineProperty(globalThis, place, descriptor);
        else delete (globalThis as Record<string, unknown>)[place];
      }
      Object.assign(console, console_);
    },
  };
}
