import type { LogEvent } from "kysely";

/** Told of every statement that a database gets, without what is bound to it. */
export type OnStatement = (sql: string) => void;

/** The option that makes Kysely tell; nothing without a listener. */
export function logTo(onStatement?: OnStatement): { log?: (event: LogEvent) => void } {
  return onStatement ? { log: ({ query }) => onStatement(query.sql) } : {};
}
