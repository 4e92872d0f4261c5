import { Hono } from "hono";
import { z } from "zod";
import type { Audit } from "../audit/audit.ts";
import { readSecretsFile } from "../data-folder/secrets.ts";
import type { AppEnv } from "../http/app-env.ts";
import { readJson } from "../http/read-json.ts";
import { BackupError } from "./backup-error.ts";
import { openSnapshot } from "./open-snapshot.ts";
import { writeBackup } from "./write-backup.ts";

/** What {@link backupRoutes} needs. */
export interface BackupRoutesOptions {
  /** What `openDatabase` took. */
  readonly place: string;
  readonly dataDir: string;
  readonly audit: Audit;
  readonly now?: () => number;
}

const backup = z.strictObject({
  file: z.string().min(1),
  passphrase: z.string().max(1024),
});

/**
 * `POST /backups`, for the command alone: writes a backup while the server goes on. One line of
 * JSON for each table, the last one the result or the error.
 */
export function backupRoutes({ place, dataDir, audit, now }: BackupRoutesOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.post("/backups", async (c) => {
    const { file, passphrase } = await readJson(c, backup);
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        const write = (line: unknown) =>
          controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
        try {
          const snapshot = await openSnapshot(place);
          try {
            const result = await writeBackup({
              file,
              passphrase,
              snapshot,
              // Read after the snapshot began: no key in it was made under a later epoch.
              secrets: readSecretsFile(dataDir),
              onProgress: (progress) => write({ progress }),
              ...(now && { now }),
            });
            await audit.record({ actor: "command", event: "backup.made" });
            write({ result });
          } finally {
            await snapshot.close();
          }
        } catch (error) {
          c.get("log").error({ err: error }, "the backup failed");
          write({ error: describe(error) });
        }
        controller.close();
      },
    });
    return c.body(body, 200, { "content-type": "application/x-ndjson" });
  });
  return app;
}

function describe(error: unknown): string {
  // Of a file or a disk: the message names what and why, and holds no secret.
  const isAboutFile = typeof (error as { syscall?: unknown }).syscall === "string";
  if (error instanceof BackupError || isAboutFile) return (error as Error).message;
  return "The backup failed; see the server's log.";
}
