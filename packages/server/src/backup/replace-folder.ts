import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** A restore was cut off between the database and the data folder; the message says what to do. */
export class RestoreCutOffError extends Error {
  override readonly name = "RestoreCutOffError";
}

/** Where the files of a restore are made, below the data folder: so that it may be a mount. */
const staging = "restoring";
const markerFile = "restore.json";
/** What a restore takes out of the way, and what it puts there. */
const files = ["secrets.json", "valet.db", "valet.db-wal", "valet.db-shm"];
/** Made from the database, or good for the old one alone. */
const belonging = ["index.db", "index.db-wal", "index.db-shm", "demo.env"];

const marker = z.strictObject({
  /** `database` until a PostgreSQL database is filled; then old files go out, then new ones in. */
  phase: z.enum(["database", "out", "in"]),
  /** The folder, below the data folder, for what was there before. */
  kept: z.string().regex(/^before-restore-[0-9TZ-]+$/),
});

/** Puts the files of a restore into a data folder, all or none. */
export interface FolderReplacement {
  /** Where the new files are to be made. */
  readonly staging: string;
  /** Where what was there will be kept; made with the first file that goes there. */
  readonly kept: string;
  /** Call it before a database outside the folder is committed. */
  markDatabase(): void;
  /** Moves the old files out and the new ones in; a crash meanwhile is made good at the next start. */
  commit(): void;
  /** Takes everything back. Does nothing after {@link commit}. */
  abandon(): void;
}

/** Whether a data folder holds what a server wrote. */
export function holdsData(folder: string): boolean {
  return files.some((name) => existsSync(join(folder, name)));
}

/** Begins to replace the files of a data folder that this process has locked. */
export function replaceFolder(folder: string, now: number): FolderReplacement {
  const kept = `before-restore-${new Date(now).toISOString().slice(0, 19).replaceAll(":", "-")}Z`;
  const stagingPath = join(folder, staging);
  rmSync(stagingPath, { recursive: true, force: true });
  mkdirSync(stagingPath, { mode: 0o700 });
  let isDone = false;
  return {
    staging: stagingPath,
    kept: join(folder, kept),
    markDatabase: () => mark(folder, { phase: "database", kept }),
    commit() {
      for (const name of readdirSync(stagingPath)) flushFolder(join(stagingPath, name));
      flushFolder(stagingPath);
      mark(folder, { phase: "out", kept });
      isDone = true;
      finishRestore(folder);
    },
    abandon() {
      if (isDone) return;
      rmSync(stagingPath, { recursive: true, force: true });
      rmSync(join(folder, markerFile), { force: true });
    },
  };
}

/**
 * Ends a restore that a crash cut off while files were being moved. Every step can be done twice.
 * Called by whoever has locked the folder, before anything in it is opened.
 *
 * @throws {@link RestoreCutOffError} when it was cut off before: whether the database is the old
 *   one or the restored one is not known, and the secrets of the other would end every key.
 */
export function finishRestore(folder: string): void {
  const path = join(folder, markerFile);
  if (!existsSync(path)) return;
  const { phase, kept } = marker.parse(JSON.parse(readFileSync(path, "utf8")));
  if (phase === "database") {
    throw new RestoreCutOffError(
      "A restore into PostgreSQL was cut off. Run it again, with --replace: until then the database and the secrets of this data folder may not belong together.",
    );
  }
  const keptPath = join(folder, kept);
  if (phase === "out") {
    mkdirSync(keptPath, { recursive: true, mode: 0o700 });
    for (const name of [...files, ...belonging]) {
      if (existsSync(join(folder, name))) renameSync(join(folder, name), join(keptPath, name));
    }
    if (readdirSync(keptPath).length === 0) rmdirSync(keptPath);
    else flushFolder(keptPath);
    mark(folder, { phase: "in", kept });
  }
  const from = join(folder, staging);
  if (existsSync(from)) {
    for (const name of readdirSync(from)) renameSync(join(from, name), join(folder, name));
    rmdirSync(from);
  }
  flushFolder(folder);
  rmSync(path);
  flushFolder(folder);
}

function mark(folder: string, content: z.output<typeof marker>): void {
  const draft = join(folder, `${markerFile}.new`);
  writeFileSync(draft, JSON.stringify(content), { mode: 0o600, flush: true });
  renameSync(draft, join(folder, markerFile));
  flushFolder(folder);
}

/** The name of a file is on the disk when its folder is. */
function flushFolder(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
