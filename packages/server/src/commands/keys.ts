import { Command } from "commander";
import { scopes } from "../api-keys/api-keys.ts";
import type { Config } from "../config.ts";
import { chooseProject } from "./choose-project.ts";
import { withServer } from "./connect.ts";

interface ListedKey {
  readonly id: string;
  readonly name: string;
  readonly masked: string;
  readonly created_at: string;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

interface NewKeyOptions {
  readonly name: string;
  readonly keepCopy?: boolean;
  readonly scope?: readonly string[];
  readonly project?: string;
}

/** `valet keys create|list|revoke`. */
export function keysCommand(config: () => Config, print: (line: string) => void): Command {
  const command = new Command("keys").description("Make, list and revoke API keys.");
  const project = ["--project <id>", "the project; needed when there are several"] as const;

  command
    .command("create")
    .description("Make a key. Its text is printed once and goes to standard output alone.")
    .requiredOption("--name <name>", "what the key is for")
    .option("--keep-copy", "keep a sealed copy that the dashboard can show again")
    .option(
      "--scope <scope...>",
      `what it may do: ${scopes.join(", ")}; all but the last unless said`,
    )
    .option(...project)
    .action(async (options: NewKeyOptions) => {
      await withServer(config(), async (client) => {
        const id = await chooseProject(client, options.project);
        const { secret } = await client.post<{ secret: string }>(`/projects/${id}/keys`, {
          name: options.name,
          keep_copy: options.keepCopy ?? false,
          ...(options.scope && { scopes: options.scope }),
        });
        print(`VALET_API_KEY=${secret}`);
      });
    });

  command
    .command("list")
    .description("List the keys of a project.")
    .option(...project)
    .action(async (options: { project?: string }) => {
      await withServer(config(), async (client) => {
        const id = await chooseProject(client, options.project);
        const { keys } = await client.get<{ keys: ListedKey[] }>(`/projects/${id}/keys`);
        if (keys.length === 0) print("There are no keys. Make one with `valet keys create`.");
        for (const key of keys) {
          const state = key.revoked_at ? `revoked ${key.revoked_at}` : "active";
          const used = key.last_used_at ? `last used ${key.last_used_at}` : "never used";
          print(`${key.id}  ${key.name}  ${state}  ${used}`);
        }
      });
    });

  command
    .command("revoke")
    .description("End a key, every session made with it and every answer being streamed.")
    .argument("<key-id>", "the 12 characters that name the key, as `valet keys list` prints them")
    .option(...project)
    .action(async (kid: string, options: { project?: string }) => {
      await withServer(config(), async (client) => {
        const id = await chooseProject(client, options.project);
        const ended = await client.post<{ ended_sessions: number; ended_streams: number }>(
          `/projects/${id}/keys/${encodeURIComponent(kid)}/revoke`,
        );
        print(
          `Revoked ${kid}. Ended: ${ended.ended_sessions} live sessions, ${ended.ended_streams} answers being streamed.`,
        );
      });
    });
  return command;
}
