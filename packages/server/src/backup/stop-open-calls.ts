import { openStates } from "../agent/thread-store.ts";
import type { Database } from "../database/database.ts";

/**
 * Stops every call that waits in a restored database. What waited when the backup was made may have
 * been decided and run since, and must not be asked for again. A call that ran then is ended by the
 * server's start.
 */
export async function stopOpenCalls(database: Database, atMs: number): Promise<void> {
  await database
    .updateTable("tool_call")
    .set({ state: "stopped", ended_at_ms: atMs })
    .where(
      "state",
      "in",
      openStates.filter((state) => state !== "running"),
    )
    .execute();
}
