import { Command, CommanderError } from "commander";
import { modelProblems } from "./agent/models/registry.ts";
import { ServerToolsError } from "./agent/operator-tools/read-tools.ts";
import { BackupError } from "./backup/backup-error.ts";
import { RestoreCutOffError } from "./backup/replace-folder.ts";
import { auditCommand } from "./commands/audit.ts";
import { backupCommand, restoreCommand } from "./commands/backup.ts";
import { withServer } from "./commands/connect.ts";
import { eraseOwnerCommand } from "./commands/erase-owner.ts";
import { exportOwnerCommand } from "./commands/export-owner.ts";
import { ingestCommand } from "./commands/ingest.ts";
import { keyFormatCommand } from "./commands/key-format-command.ts";
import { keysCommand } from "./commands/keys.ts";
import { projectsCommand } from "./commands/projects.ts";
import { sourcesCommand } from "./commands/sources.ts";
import { PortTakenError, startServer } from "./commands/start.ts";
import { teamsCommand } from "./commands/teams.ts";
import { type Config, ConfigError, readConfig } from "./config.ts";
import { ControlError } from "./control/control-client.ts";
import { DataFolderInUseError, DataFolderPathError } from "./data-folder/data-folder.ts";
import { DatabaseUnavailableError } from "./database/database-unavailable.ts";
import { DatabaseInUseError } from "./database/postgres-hold.ts";
import { version } from "./version.ts";

const print = (line: string) => void process.stdout.write(`${line}\n`);
const complain = (line: string) => {
  process.stderr.write(`${line}\n`);
  process.exitCode = 1;
};
const config = (): Config => readConfig(process.env, modelProblems);

const program = new Command("valet")
  .description("A self-hostable agent platform in which the browser never holds the key.")
  .version(version)
  .showHelpAfterError("Run `valet --help` for what there is.")
  .exitOverride()
  .addHelpText(
    "after",
    `
Configuration comes from the environment:
  VALET_HOST            address to listen on (127.0.0.1)
  VALET_PORT            port to listen on (4747)
  VALET_DATA_DIR        data folder (.valet)
  VALET_DATABASE_URL    postgres:// address; without it, a database in the data folder
  VALET_PUBLIC_URL      where browsers reach this server, such as https://valet.example.com
  VALET_TRUSTED_PROXIES proxies whose X-Forwarded-For is believed, as CIDR ranges (none)
  VALET_MODEL           provider/name; without it, the embedded valet-extractive-1
  VALET_MODEL_API_KEY   key of that provider
  VALET_MODEL_BASE_URL  address of an OpenAI-compatible provider
  VALET_MODEL_OPTIONS   options for the provider, as JSON by the name of its package
  VALET_MODEL_MAX_OUTPUT_TOKENS
                        the most a model may say in one call (its own limit)
  VALET_RUN_MAX_STEPS   the most calls of the model for one answer (8)
  VALET_RUN_MAX_SECONDS the longest that an answer may take (120)
  VALET_RUN_MAX_TOKENS  the most tokens of one answer, prompts included (250000)
  VALET_SERVER_TOOLS    ES module with tools of your own that run on the server
  VALET_BACKUP_PASSPHRASE
                        encrypts and opens backups; without it, the command asks
  VALET_LOG_LEVEL       fatal, error, warn, info, debug, trace or silent (info)`,
  );

program
  .command("start")
  .description("Start the server. An empty data folder starts empty.")
  .option("--json-ready", "print a line of JSON when the server listens")
  .action(async (options: { jsonReady?: boolean }) => {
    const server = await startServer(config());
    const close = () => {
      server.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    };
    process.once("SIGINT", close);
    process.once("SIGTERM", close);
    void server.ended.then((error) => {
      complain(error.message);
      return server.close().finally(() => process.exit(1));
    });
    print(
      options.jsonReady
        ? JSON.stringify({ ready: true, url: server.url })
        : `Valet is ready at ${server.url}. \`valet setup-link\` prints a link to make an account.`,
    );
  });

program
  .command("setup-link")
  .description("Print a link that makes an account. It works once, for an hour.")
  .option("--team <id>", "the team that the account will be in; without it, one of its own")
  .action(async ({ team }: { team?: string }) => {
    await withServer(config(), async (client) => {
      const link = team === undefined ? {} : { team_id: team };
      print((await client.post<{ url: string }>("/setup-links", link)).url);
    });
  });

program.addCommand(auditCommand(config, print, complain));
program.addCommand(ingestCommand(config, print, complain));
program.addCommand(projectsCommand(config, print));
program.addCommand(teamsCommand(config, print));
program.addCommand(
  keysCommand(config, print).addCommand(keyFormatCommand(process.stdin, print, complain)),
);
program.addCommand(sourcesCommand(config, print));
program.addCommand(eraseOwnerCommand(config, print));
program.addCommand(exportOwnerCommand(config));
program.addCommand(backupCommand(config, print));
program.addCommand(restoreCommand(config, print));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof ConfigError || error instanceof ServerToolsError) {
    complain(error.message);
    for (const problem of error.problems) complain(`  ${problem}`);
  } else if (error instanceof CommanderError) {
    process.exitCode = error.exitCode;
  } else if (
    error instanceof ControlError ||
    error instanceof BackupError ||
    error instanceof RestoreCutOffError ||
    error instanceof PortTakenError ||
    error instanceof DatabaseInUseError ||
    error instanceof DatabaseUnavailableError ||
    error instanceof DataFolderInUseError ||
    error instanceof DataFolderPathError
  ) {
    complain(error.message);
  } else {
    complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}
