import type { Snapshot } from "./snapshot.ts";
import { openPostgresSnapshot } from "./snapshot-postgres.ts";
import { openSqliteSnapshot } from "./snapshot-sqlite.ts";

/**
 * Opens a snapshot on a connection of its own.
 *
 * @param place What `openDatabase` takes; not `:memory:`.
 */
export function openSnapshot(place: string): Promise<Snapshot> {
  return /^postgres(?:ql)?:/.test(place) ? openPostgresSnapshot(place) : openSqliteSnapshot(place);
}
