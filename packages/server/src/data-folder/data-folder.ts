import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import SQLite from "better-sqlite3";

/** The folder of one server: database, secrets, index, socket. */
export interface DataFolder {
  readonly path: string;
  readonly databaseFile: string;
  readonly indexFile: string;
  readonly controlSocket: string;
  /** Lets another process open the folder. */
  unlock(): void;
}

/** Another process has the data folder. */
export class DataFolderInUseError extends Error {
  override readonly name = "DataFolderInUseError";
}

/** Where things stand in a data folder, without opening or making it. */
export function dataFolderPaths(path: string): Omit<DataFolder, "unlock"> {
  const folder = resolve(path);
  return {
    path: folder,
    databaseFile: join(folder, "valet.db"),
    indexFile: join(folder, "index.db"),
    controlSocket: join(folder, "control.sock"),
  };
}

/**
 * Makes the folder if there is none (0700), and takes it for this process.
 *
 * The lock is an exclusive transaction on a file of its own: the operating system drops it with
 * the process, however that ends, so no stale lock can be left behind.
 *
 * @throws {@link DataFolderInUseError}
 */
export function openDataFolder(path: string): DataFolder {
  const paths = dataFolderPaths(path);
  // Whatever this process writes from here on is its owner's alone: databases, logs, socket.
  process.umask(0o077);
  mkdirSync(paths.path, { recursive: true, mode: 0o700 });
  const lockFile = join(paths.path, "lock.db");
  const lock = new SQLite(lockFile, { timeout: 0 });
  try {
    lock.pragma("journal_mode = DELETE");
    lock.exec("begin exclusive");
  } catch {
    lock.close();
    throw new DataFolderInUseError(`Another process is using ${paths.path}.`);
  }
  return { ...paths, unlock: () => void lock.close() };
}
