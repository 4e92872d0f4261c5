import { createHash } from "node:crypto";
import { createWriteStream, existsSync, renameSync, rmSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { version } from "../version.ts";
import { BackupError } from "./backup-error.ts";
import { encrypt, type KeyCost } from "./encryption.ts";
import { type BackupStart, backupFormat, encodeValue } from "./records.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a backup holds. */
export interface BackupSummary {
  readonly file: string;
  readonly bytes: number;
  readonly made_at: string;
  readonly tables: number;
  readonly rows: number;
  readonly documents: number;
}

/** What {@link writeBackup} needs. */
export interface WriteBackupOptions {
  /** Where the backup goes. It must not be there yet. */
  readonly file: string;
  /** At least 12 characters. */
  readonly passphrase: string;
  readonly snapshot: Snapshot;
  /** The content of `secrets.json`, read after the snapshot was opened. */
  readonly secrets: Record<string, unknown>;
  readonly now?: () => number;
  /** @default defaultKeyCost */
  readonly cost?: KeyCost;
  /** Told after each table. */
  readonly onProgress?: (progress: { table: string; rows: number }) => void;
}

const minPassphrase = 12;

/**
 * Writes a snapshot and the secrets into one encrypted file (0600). It is written beside its name
 * and renamed when it is whole and on the disk: a crash or a full disk leaves nothing under it.
 *
 * @throws {@link BackupError} `exists`, `passphrase_too_short`.
 */
export async function writeBackup(options: WriteBackupOptions): Promise<BackupSummary> {
  const { file, passphrase, snapshot, now = Date.now, cost } = options;
  if ([...passphrase].length < minPassphrase) {
    throw new BackupError(
      "passphrase_too_short",
      `A passphrase of a backup has at least ${minPassphrase} characters.`,
    );
  }
  if (existsSync(file)) {
    throw new BackupError("exists", `${file} is there already. Nothing was written over it.`);
  }
  const madeAt = new Date(now()).toISOString();
  const index = await describeIndex(snapshot);
  const start: BackupStart = {
    valet_backup: backupFormat,
    valet_version: version,
    made_at: madeAt,
    database: snapshot.kind,
    migrations: [...snapshot.migrations],
    secrets: options.secrets,
    index,
  };
  const counts = { rows: 0 };
  const draft = `${file}.${process.pid}.part`;
  try {
    await pipeline(
      Readable.from(linesOf(start, options, counts)),
      createGzip(),
      (source) => encrypt(source, { passphrase, ...(cost && { cost }) }),
      createWriteStream(draft, { mode: 0o600, flags: "wx" }),
    );
    await flush(draft);
    const { size: bytes } = await stat(draft);
    renameSync(draft, file);
    await flush(dirname(file));
    return {
      file,
      bytes,
      made_at: madeAt,
      tables: snapshot.tables.length,
      rows: counts.rows,
      documents: index.documents,
    };
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

async function* linesOf(
  start: BackupStart,
  { snapshot, onProgress = () => undefined }: WriteBackupOptions,
  counts: { rows: number },
): AsyncGenerator<string> {
  yield `${JSON.stringify(start)}\n`;
  for (const table of snapshot.tables) {
    yield `${JSON.stringify({ table: table.name, columns: table.columns })}\n`;
    let rows = 0;
    for await (const step of snapshot.rows(table)) {
      rows += step.length;
      yield step.map((row) => `${JSON.stringify(row.map(encodeValue))}\n`).join("");
    }
    yield `${JSON.stringify({ rows, sequence: table.sequence })}\n`;
    counts.rows += rows;
    onProgress({ table: table.name, rows });
  }
  const end = { end: true, tables: snapshot.tables.length, rows: counts.rows };
  yield `${JSON.stringify(end)}\n`;
}

async function describeIndex(snapshot: Snapshot): Promise<BackupStart["index"]> {
  const hasDocuments = snapshot.tables.some(({ name }) => name === "document");
  const stamps = hasDocuments ? await snapshot.all("select id, content_hash from document") : [];
  return { made_from: ["document", "chunk"], ...hashStamps(stamps) };
}

/** The number of documents and a hash of what they are, in whatever order they come. */
export function hashStamps(stamps: readonly (readonly unknown[])[]): {
  documents: number;
  sha256: string;
} {
  const hash = createHash("sha256");
  for (const line of stamps.map(([id, stamp]) => `${id} ${stamp}\n`).sort()) hash.update(line);
  return { documents: stamps.length, sha256: hash.digest("hex") };
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
