import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { BackupError } from "./backup-error.ts";
import { decrypt } from "./encryption.ts";
import {
  type BackupStart,
  backupFormat,
  backupRecord,
  backupStart,
  decodeValue,
} from "./records.ts";
import { hashStamps } from "./write-backup.ts";

/** What a backup says, in its order. */
export type BackupEvent =
  | { readonly kind: "start"; readonly start: BackupStart }
  | { readonly kind: "table"; readonly name: string; readonly columns: readonly string[] }
  | { readonly kind: "row"; readonly values: readonly unknown[] }
  | { readonly kind: "table-end"; readonly rows: number; readonly sequence: number | null };

/** A backup whose every byte and count was checked. */
export interface CheckedBackup {
  readonly start: BackupStart;
  /** Rows by table. */
  readonly rows: ReadonlyMap<string, number>;
}

/**
 * Reads a backup to its end and keeps nothing of it: authenticity, order, counts, and that the
 * migrations are known.
 *
 * @param known Names of the migrations of this version, in their order.
 * @throws {@link BackupError}
 */
export async function checkBackup(
  file: string,
  passphrase: string,
  known: readonly string[],
): Promise<CheckedBackup> {
  let start: BackupStart | undefined;
  let table = { name: "", columns: [] as readonly string[] };
  const rows = new Map<string, number>();
  const stamps: unknown[][] = [];
  for await (const event of readBackup(file, passphrase)) {
    if (event.kind === "start") {
      start = event.start;
      requireKnown(start.migrations, known);
    } else if (event.kind === "table") {
      table = event;
    } else if (event.kind === "table-end") {
      rows.set(table.name, event.rows);
    } else if (table.name === "document") {
      const value = (column: string) => event.values[table.columns.indexOf(column)];
      stamps.push([value("id"), value("content_hash")]);
    }
  }
  const index = hashStamps(stamps);
  if (!start || index.documents !== start.index.documents || index.sha256 !== start.index.sha256) {
    throw inconsistent("its documents are not those that it names");
  }
  return { start, rows };
}

/**
 * The events of a backup, from a stream: memory does not grow with the file. What it has given
 * counts only when it ends without an error.
 *
 * @throws {@link BackupError}
 */
export async function* readBackup(file: string, passphrase: string): AsyncGenerator<BackupEvent> {
  let isStarted = false;
  let table: { name: string; columns: number } | undefined;
  let tables = 0;
  let rows = 0;
  let all = 0;
  let isEnded = false;
  for await (const line of linesOf(file, passphrase)) {
    if (isEnded) throw inconsistent("something follows its end");
    if (!isStarted) {
      yield { kind: "start", start: readStart(line) };
      isStarted = true;
      continue;
    }
    const { data: record } = backupRecord.safeParse(parse(line));
    if (record === undefined) throw inconsistent("a line is none of those it may have");
    if (Array.isArray(record)) {
      if (record.length !== table?.columns) throw inconsistent("a row does not fit its table");
      rows += 1;
      yield { kind: "row", values: decodeRow(record) };
    } else if ("table" in record) {
      if (table) throw inconsistent(`table ${table.name} does not end`);
      table = { name: record.table, columns: record.columns.length };
      rows = 0;
      yield { kind: "table", name: record.table, columns: record.columns };
    } else if ("sequence" in record) {
      if (!table || record.rows !== rows) throw inconsistent("the rows of a table do not add up");
      table = undefined;
      tables += 1;
      all += rows;
      yield { kind: "table-end", ...record };
    } else {
      if (table || record.tables !== tables || record.rows !== all) {
        throw inconsistent("its tables do not add up");
      }
      isEnded = true;
    }
  }
  if (!isEnded) throw inconsistent("it has no end");
}

async function* linesOf(file: string, passphrase: string): AsyncGenerator<string> {
  const plain = createGunzip();
  // Its error reaches whoever reads `plain`, which it destroys.
  const reading = pipeline(
    createReadStream(file),
    (source) => decrypt(source, passphrase),
    plain,
  ).catch((error: unknown) => error);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  try {
    for await (const piece of plain) {
      const found = (rest + decoder.decode(piece as Buffer, { stream: true })).split("\n");
      rest = found.pop() ?? "";
      yield* found;
    }
  } catch (error) {
    throw asBackupError((await reading) ?? error);
  } finally {
    plain.destroy();
  }
  const failed = await reading;
  if (failed) throw asBackupError(failed);
  if (rest !== "") throw inconsistent("its last line has no end");
}

function asBackupError(error: unknown): unknown {
  const { code } = error as { code?: unknown };
  // A missing file, or one that may not be read, is said by its own error.
  if (error instanceof BackupError || (typeof code === "string" && /^E[A-Z]+$/.test(code))) {
    return error;
  }
  return inconsistent("it cannot be unpacked", error);
}

function readStart(line: string): BackupStart {
  const content = parse(line);
  const format = (content as { valet_backup?: unknown } | null)?.valet_backup;
  if (typeof format === "number" && format > backupFormat) {
    throw new BackupError(
      "newer_version",
      `The backup is of format ${format}; this version of Valet reads up to ${backupFormat}. Restore it with the version that made it, or a later one.`,
    );
  }
  const { data } = backupStart.safeParse(content);
  if (!data) throw inconsistent("its first line is not that of a backup");
  return data;
}

function requireKnown(migrations: readonly string[], known: readonly string[]): void {
  const strange = migrations.find((name, at) => known[at] !== name);
  if (strange === undefined) return;
  throw new BackupError(
    "newer_version",
    `The backup's database has seen the migration ${strange}, which this version of Valet does not know. Restore it with the version that made it, or a later one.`,
  );
}

function decodeRow(row: readonly unknown[]): unknown[] {
  try {
    return row.map(decodeValue);
  } catch (error) {
    throw inconsistent("a value is none of those it may have", error);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw inconsistent("a line is no JSON", error);
  }
}

/** Proved to be ours and still wrong: a fault of whoever wrote it. */
function inconsistent(what: string, cause?: unknown): BackupError {
  return new BackupError("damaged", `The backup does not hold together: ${what}.`, { cause });
}
