import { resolve } from "node:path";
import { Command } from "commander";
import { type Restored, restore } from "../backup/restore.ts";
import type { BackupSummary } from "../backup/write-backup.ts";
import type { Config } from "../config.ts";
import { ControlError } from "../control/control-client.ts";
import { askPassphrase } from "./ask-passphrase.ts";
import { withServer } from "./connect.ts";

type BackupLine =
  | { readonly progress: { readonly table: string; readonly rows: number } }
  | { readonly result: BackupSummary }
  | { readonly error: string };

/** `valet backup FILE`. */
export function backupCommand(config: () => Config, print: (line: string) => void): Command {
  return new Command("backup")
    .description(
      "Write database and secrets into one encrypted file, while the server runs or not.",
    )
    .argument("<file>", "where it goes; it must not be there yet")
    .action(async (file: string) => {
      const settings = config();
      const passphrase = await askPassphrase(settings.backupPassphrase, { twice: true });
      await withServer(settings, async (client) => {
        const body = { file: resolve(file), passphrase };
        for await (const line of client.lines<BackupLine>("/backups", body)) {
          if ("error" in line) throw new ControlError(line.error);
          if (!("result" in line)) continue;
          const { rows, tables, documents, bytes, made_at: madeAt } = line.result;
          print(
            `Wrote ${file}: ${rows} rows of ${tables} tables, ${documents} pages, ${bytes} bytes, as of ${madeAt}.`,
          );
          return;
        }
        throw new ControlError("The server ended before the backup was written.");
      });
    });
}

interface RestoreCommandOptions {
  readonly replace?: boolean;
  readonly revokeKeys?: string;
  readonly endSessions?: boolean;
}

/** `valet restore FILE`. */
export function restoreCommand(config: () => Config, print: (line: string) => void): Command {
  return new Command("restore")
    .description("Put a backup into an empty data folder and database, while no server runs.")
    .argument("<file>", "what `valet backup` wrote")
    .option(
      "--replace",
      "put aside what is there, and carry over what was revoked since the backup",
    )
    .option("--revoke-keys <ids>", "keys to revoke, between commas")
    .option("--end-sessions", "end every session that the backup brings back")
    .action(async (file: string, options: RestoreCommandOptions) => {
      const { dataDir, databaseUrl, backupPassphrase } = config();
      const revokeKeys = options.revokeKeys?.split(",").map((kid) => kid.trim());
      const restored = await restore({
        file: resolve(file),
        passphrase: await askPassphrase(backupPassphrase, { twice: false }),
        dataDir,
        databaseUrl,
        replace: options.replace ?? false,
        endSessions: options.endSessions ?? false,
        ...(revokeKeys && { revokeKeys }),
      });
      for (const line of describeRestored(restored)) print(line);
    });
}

/** What whoever restores has to know. */
export function describeRestored(restored: Restored): string[] {
  const { madeAt, rows, documents, kept, carriedOver, ended, activeKeys } = restored;
  const lines = [
    `Restored the backup of ${madeAt}: ${rows} rows, ${documents} pages. The search index is made again at the first question.`,
  ];
  if (kept !== undefined) lines.push(`What was here before is kept in ${kept}.`);
  if (carriedOver) {
    const { keys, sessions, projects, integrations, blocks, revocations, owners } = carriedOver;
    lines.push(
      `Carried over from what was here: ${keys} keys, ${sessions} sessions, ${projects} projects and ${integrations} integrations that are over or limited, ${blocks} blocks, ${revocations} revocations, ${owners} owners whose data is erased.`,
    );
  } else {
    lines.push(
      `There was no database to compare with: what was revoked, disabled, blocked or erased after ${madeAt} is NOT in the backup and is good again.`,
    );
    if (ended.projects === 0) {
      lines.push("Run the restore with --end-sessions to end all sessions made before now.");
    }
  }
  if (ended.keys > 0) lines.push(`Revoked ${ended.keys} keys.`);
  if (ended.projects > 0) lines.push(`Ended all sessions of ${ended.projects} projects.`);
  lines.push(activeKeys.length === 0 ? "No key is active." : "Active keys:");
  for (const { kid, name, projectId } of activeKeys) lines.push(`  ${kid}  ${name}  ${projectId}`);
  if (!carriedOver && activeKeys.length > 0) {
    lines.push("Revoke those that should be over: `valet keys revoke KEY-ID`.");
  }
  return lines;
}
