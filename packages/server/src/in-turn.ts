/** Does work one after the other wherever it has the same name, in the order in which it was asked for. */
export type InTurn = <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;

/**
 * Creates a queue for each name. What is mirrored in memory needs it: two changes that are being
 * written at the same time may become durable in one order and be answered in the other, and the
 * mirror would keep what the database has not. Work that fails does not stop what is behind it.
 */
export function createInTurn(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return async (name, work) => {
    const before = last.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (last.get(name) === mine) last.delete(name);
    }
  };
}
