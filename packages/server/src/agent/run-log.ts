import type { Logger } from "pino";

/** What the agent writes to the log. */
export type RunLog = Pick<Logger, "info" | "warn" | "error">;
