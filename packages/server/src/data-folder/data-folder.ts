import { mkdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import SQLite from "better-sqlite3";
import { finishRestore } from "../backup/replace-folder.ts";

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

/** The data folder lies too deep; the message says what to do. */
export class DataFolderPathError extends Error {
  override readonly name = "DataFolderPathError";
}

/** Where things stand in a data folder, without opening or making it. */
export function dataFolderPaths(path: string): Omit<DataFolder, "unlock"> {
  const folder = resolve(path);
  return {
    path: folder,
    databaseFile: join(folder, "valet.db"),
    indexFile: join(folder, "index.db"),
    controlSocket: socketPath(join(folder, "control.sock")),
  };
}

/** The most bytes that the path of a socket may have, on the tightest of systems. */
const maxSocketBytes = 103;

/**
 * The shorter way to a socket: from here, or from the root. A project that lies deep is still
 * reached from inside it.
 *
 * @see unix(7), `sun_path`
 */
function socketPath(absolute: string): string {
  const fromHere = relative(process.cwd(), absolute);
  return fromHere.length < absolute.length ? fromHere : absolute;
}

/**
 * Makes the folder if there is none (0700), and takes it for this process. A restore that a crash
 * cut off is ended first, unless it is a restore that opens the folder.
 *
 * The lock is an exclusive transaction on a file of its own: the operating system drops it with
 * the process, however that ends, so no stale lock can be left behind.
 *
 * @throws {@link DataFolderInUseError}, {@link DataFolderPathError}, `RestoreCutOffError`
 */
export function openDataFolder(
  path: string,
  { forRestore = false }: { readonly forRestore?: boolean } = {},
): DataFolder {
  const paths = dataFolderPaths(path);
  if (Buffer.byteLength(paths.controlSocket) > maxSocketBytes) {
    throw new DataFolderPathError(
      `The path of the data folder is too long for its socket: ${paths.path}. Set VALET_DATA_DIR to a shorter one.`,
    );
  }
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
  try {
    if (!forRestore) finishRestore(paths.path);
  } catch (error) {
    lock.close();
    throw error;
  }
  return { ...paths, unlock: () => void lock.close() };
}
