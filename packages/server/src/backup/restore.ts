import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Kysely, PostgresDialect, sql } from "kysely";
import { auditLine } from "../audit/audit-context.ts";
import { type DataFolder, openDataFolder } from "../data-folder/data-folder.ts";
import { loadSecrets, readSecretsFile, writeSecretsFile } from "../data-folder/secrets.ts";
import { appendAudit } from "../database/append-audit.ts";
import { passingAuditKeys } from "../database/audit-keys.ts";
import type { Database } from "../database/database.ts";
import { migrations } from "../database/migrations.ts";
import { holdPostgres } from "../database/postgres-hold.ts";
import { createPostgresPool } from "../database/postgres-pool.ts";
import type { Schema } from "../database/schema.ts";
import { openSqlite } from "../database/sqlite.ts";
import { BackupError } from "./backup-error.ts";
import { type CarriedOver, carryOver, readStanding, type Standing } from "./carry-over.ts";
import { dropTables } from "./drop-tables.ts";
import { type EndByHandOptions, type EndedByHand, endByHand } from "./end-by-hand.ts";
import { fillDatabase } from "./fill-database.ts";
import { openSnapshot } from "./open-snapshot.ts";
import { type CheckedBackup, checkBackup } from "./read-backup.ts";
import { type FolderReplacement, holdsData, replaceFolder } from "./replace-folder.ts";
import { stopOpenCalls } from "./stop-open-calls.ts";
import { writeBackup } from "./write-backup.ts";

/** What {@link restore} needs. */
export interface RestoreOptions extends EndByHandOptions {
  readonly file: string;
  readonly passphrase: string;
  readonly dataDir: string;
  /** A PostgreSQL database in the place of the one in the data folder. */
  readonly databaseUrl?: string | undefined;
  /** Whether what is there may be put aside. @default false */
  readonly replace?: boolean;
  readonly now?: () => number;
}

/** What a restore did. */
export interface Restored {
  /** When the backup was made. */
  readonly madeAt: string;
  readonly rows: number;
  readonly documents: number;
  /** Where what was there is kept; undefined when nothing was there. */
  readonly kept: string | undefined;
  /** What was over in the database before and not yet in the backup; undefined when there was none to read. */
  readonly carriedOver: CarriedOver | undefined;
  readonly ended: EndedByHand;
  /** The keys that work now. */
  readonly activeKeys: readonly {
    readonly kid: string;
    readonly name: string;
    readonly projectId: string;
  }[];
}

/**
 * Puts a backup in the place of a data folder and its database: all of it, or nothing. The whole
 * file is checked before anything is written.
 *
 * @throws {@link BackupError}; `DataFolderInUseError` or `DatabaseInUseError` while a server runs.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { file, passphrase, dataDir, now = Date.now } = options;
  const folder = openDataFolder(dataDir, { forRestore: true });
  try {
    requireEmpty(holdsData(folder.path), options, folder.path);
    const checked = await checkBackup(
      file,
      passphrase,
      Object.keys(migrations(passingAuditKeys())),
    );
    const replacement = replaceFolder(folder.path, now());
    try {
      writeSecretsFile(replacement.staging, checked.start.secrets);
      return await (options.databaseUrl === undefined
        ? intoSqlite(options, folder, checked, replacement)
        : intoPostgres(options, options.databaseUrl, folder, checked, replacement));
    } finally {
      replacement.abandon();
    }
  } finally {
    folder.unlock();
  }
}

async function intoSqlite(
  options: RestoreOptions,
  folder: DataFolder,
  checked: CheckedBackup,
  replacement: FolderReplacement,
): Promise<Restored> {
  const before = await standingOf(folder.databaseFile);
  const database = openSqlite(join(replacement.staging, "valet.db"));
  let result: Omit<Restored, "kept">;
  try {
    result = await build(options, database, checked, replacement, before);
  } finally {
    await database.destroy();
  }
  const wasThere = holdsData(folder.path);
  replacement.commit();
  return { ...result, kept: wasThere ? replacement.kept : undefined };
}

async function intoPostgres(
  options: RestoreOptions,
  url: string,
  folder: DataFolder,
  checked: CheckedBackup,
  replacement: FolderReplacement,
): Promise<Restored> {
  const { passphrase, now = Date.now } = options;
  const hold = await holdPostgres(url);
  const pool = new Kysely<Schema>({
    dialect: new PostgresDialect({
      pool: createPostgresPool({ url, isHeld: hold.isHeld, max: 1, statementTimeoutMs: 0 }),
    }),
  });
  let isCommitted = false;
  try {
    const snapshot = await openSnapshot(url);
    const tables = snapshot.tables.map(({ name }) => name);
    let before: Standing | undefined;
    try {
      requireEmpty(tables.length > 0, options, "The database");
      if (tables.length > 0) {
        before = await readStanding(snapshot);
        mkdirSync(replacement.kept, { mode: 0o700 });
        const hasSecrets = existsSync(join(folder.path, "secrets.json"));
        await writeBackup({
          file: join(replacement.kept, "database.valet-backup"),
          passphrase,
          snapshot,
          secrets: hasSecrets ? readSecretsFile(folder.path) : {},
          now,
        });
      }
    } finally {
      await snapshot.close();
    }
    const result = await pool.connection().execute(async (database) => {
      await sql`begin`.execute(database);
      try {
        await dropTables(database, tables);
        const built = await build(options, database, checked, replacement, before);
        replacement.markDatabase();
        await sql`commit`.execute(database);
        isCommitted = true;
        return built;
      } catch (error) {
        await sql`rollback`.execute(database).catch(() => undefined);
        throw error;
      }
    });
    const wasThere = tables.length > 0 || holdsData(folder.path);
    replacement.commit();
    return { ...result, kept: wasThere ? replacement.kept : undefined };
  } finally {
    if (!isCommitted) rmSync(replacement.kept, { recursive: true, force: true });
    await pool.destroy();
    await hold.release();
  }
}

async function build(
  options: RestoreOptions,
  database: Database,
  { start, rows }: CheckedBackup,
  { staging }: FolderReplacement,
  before: Standing | undefined,
): Promise<Omit<Restored, "kept">> {
  const { file, passphrase, now = Date.now } = options;
  const secrets = loadSecrets(staging);
  await fillDatabase({ database, file, passphrase, start, secrets });
  await stopOpenCalls(database, now());
  const carriedOver = before && (await carryOver(database, before, secrets.audit.reference));
  const ended = await endByHand(database, options, now());
  await appendAudit(database, [
    auditLine("command", {
      atMs: now(),
      event: "backup.restored",
      detail: { made_at: start.made_at, carried_over: carriedOver, ended },
    }),
  ]);
  const activeKeys = await database
    .selectFrom("api_key")
    .select(["kid", "name", "project_id as projectId"])
    .where("revoked_at_ms", "is", null)
    .where("disabled_at_ms", "is", null)
    .where((is) => is.or([is("expires_at_ms", "is", null), is("expires_at_ms", ">", now())]))
    .orderBy("project_id")
    .orderBy("created_at_ms")
    .execute();
  return {
    madeAt: start.made_at,
    rows: [...rows.values()].reduce((sum, count) => sum + count, 0),
    documents: start.index.documents,
    carriedOver,
    ended,
    activeKeys,
  };
}

function requireEmpty(isFilled: boolean, { replace = false }: RestoreOptions, what: string): void {
  if (!isFilled || replace) return;
  throw new BackupError(
    "not_empty",
    `${what} is not empty. Restore elsewhere, or with --replace: what is there is then kept aside.`,
  );
}

/** What is over in the database that a restore replaces, if it can be read at all. */
async function standingOf(databaseFile: string): Promise<Standing | undefined> {
  if (!existsSync(databaseFile)) return undefined;
  try {
    const snapshot = await openSnapshot(databaseFile);
    try {
      return await readStanding(snapshot);
    } finally {
      await snapshot.close();
    }
  } catch {
    // A damaged database is what backups are for. The caller is told that nothing was compared.
    return undefined;
  }
}
