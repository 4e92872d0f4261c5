/** A stop by the person, told from every other abort by its identity. */
export const stopped: unique symbol = Symbol("stopped");
