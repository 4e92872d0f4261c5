import type { Logger } from "pino";
import { DatabaseInUseError, type HoldEvent } from "./postgres-hold.ts";

/** Whether a server may answer: only while the database is its own. */
export interface Serving {
  isServing(): boolean;
  /** Takes what is told of the hold on the database. */
  observe(event: HoldEvent): void;
  /** Resolves when another server has had the database: this one must end. */
  readonly ended: Promise<DatabaseInUseError>;
}

/** Creates it for a server that has its database, and tells the log of what changes. */
export function createServing(log: Logger): Serving {
  let isServing = true;
  let end: (error: DatabaseInUseError) => void = () => undefined;
  const ended = new Promise<DatabaseInUseError>((resolve) => {
    end = resolve;
  });
  return {
    isServing: () => isServing,
    observe(event) {
      isServing = event === "back";
      if (event === "lost") {
        log.error("the hold on the database was lost: requests get a 503 until it is back");
      } else if (event === "back") {
        log.info("the hold on the database is back: requests are served again");
      } else {
        log.fatal("another server has had the database: this one ends");
        end(new DatabaseInUseError());
      }
    },
    ended,
  };
}
