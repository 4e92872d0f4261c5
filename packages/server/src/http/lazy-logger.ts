import type { Logger } from "pino";

/**
 * A logger that is made when it is first used. Most requests log nothing of their own, and a
 * child logger costs more than checking their credential.
 */
export function createLazyLogger(make: () => Logger): Logger {
  return new Proxy({ make, made: undefined }, handler) as unknown as Logger;
}

interface Lazy {
  readonly make: () => Logger;
  made: Logger | undefined;
}

const handler: ProxyHandler<Lazy> = {
  get(lazy, name) {
    lazy.made ??= lazy.make();
    const value: unknown = Reflect.get(lazy.made, name);
    return typeof value === "function" ? value.bind(lazy.made) : value;
  },
};
