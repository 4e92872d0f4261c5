import { Command } from "commander";
import { scopes } from "../api-keys/scopes.ts";
import type { Config } from "../config.ts";
import type { ControlClient } from "../control/control-client.ts";
import { chooseProject } from "./choose-project.ts";
import { withServer } from "./connect.ts";
import { parseDuration, parseInstant } from "./duration.ts";

interface ListedKey {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly scopes: readonly string[];
  readonly ip_allow: readonly string[] | null;
  readonly expires_at: string | null;
  readonly disabled_at: string | null;
  readonly revoked_at: string | null;
  readonly replaced_by: string | null;
  readonly grace_until: string | null;
  readonly grace_calls: number;
  readonly last_used_at: string | null;
}

interface InProject {
  readonly project?: string;
}

interface CreateOptions extends InProject {
  readonly name: string;
  readonly description?: string;
  readonly keepCopy?: boolean;
  readonly scope?: readonly string[];
  readonly expires?: string;
  readonly allowIp?: readonly string[];
}

interface RotateOptions extends InProject {
  readonly overlap?: number;
  readonly expires?: string;
}

interface ChangeOptions extends InProject {
  readonly description?: string;
  readonly expires?: string | false;
  readonly allowIp?: readonly string[];
  readonly allowAnyIp?: boolean;
}

const project = ["--project <id>", "the project; needed when there are several"] as const;
const keyId = [
  "<key-id>",
  "the 12 characters that name it, as `valet keys list` prints them",
] as const;
const expires = "when it ends: a day, an instant, or a length of time such as 90d";
const allowIp = "addresses and CIDR ranges it may be used from; any unless said";

/** `valet keys …`: all that the dashboard does with keys. */
export function keysCommand(config: () => Config, print: (line: string) => void): Command {
  const command = new Command("keys").description("Make, list, change, rotate and end API keys.");

  /** Does something below the keys of the chosen project. */
  const atKeys = (
    { project: id }: InProject,
    work: (client: ControlClient, path: string) => Promise<void>,
  ) =>
    withServer(config(), async (client) =>
      work(client, `/projects/${await chooseProject(client, id)}/keys`),
    );

  command
    .command("create")
    .description("Make a key. Its text is printed once and goes to standard output alone.")
    .requiredOption("--name <name>", "what the key is for")
    .option("--description <text>", "where it is used")
    .option("--keep-copy", "keep a sealed copy that the dashboard can show again")
    .option(
      "--scope <scope...>",
      `what it may do: ${scopes.join(", ")}; all but the last two unless said`,
    )
    .option("--expires <when>", expires, (text) => parseInstant(text))
    .option("--allow-ip <range...>", allowIp)
    .option(...project)
    .action((options: CreateOptions) =>
      atKeys(options, async (client, path) => {
        const { secret } = await client.post<{ secret: string }>(path, {
          name: options.name,
          keep_copy: options.keepCopy ?? false,
          ...(options.description !== undefined && { description: options.description }),
          ...(options.scope && { scopes: options.scope }),
          ...(options.expires !== undefined && { expires_at: options.expires }),
          ...(options.allowIp && { ip_allow: options.allowIp }),
        });
        print(`VALET_API_KEY=${secret}`);
      }),
    );

  command
    .command("list")
    .description("List the keys of a project.")
    .option(...project)
    .action((options: InProject) =>
      atKeys(options, async (client, path) => {
        const { keys } = await client.get<{ keys: ListedKey[] }>(path);
        if (keys.length === 0) print("There are no keys. Make one with `valet keys create`.");
        for (const key of keys) print(describe(key));
      }),
    );

  command
    .command("rename")
    .description("Give a key another name.")
    .argument(...keyId)
    .argument("<name>", "what the key is for")
    .option(...project)
    .action((kid: string, name: string, options: InProject) =>
      atKeys(options, async (client, path) => {
        await client.patch(keyPath(path, kid), { name });
        print(`Renamed ${kid} to ${name}.`);
      }),
    );

  command
    .command("limit")
    .description("Change until when and from where a key may be used.")
    .argument(...keyId)
    .option("--description <text>", "where it is used")
    .option("--expires <when>", expires, (text) => parseInstant(text))
    .option("--no-expires", "it does not end by itself")
    .option("--allow-ip <range...>", "the whole list of addresses and CIDR ranges")
    .option("--allow-any-ip", "it may be used from anywhere")
    .option(...project)
    .action((kid: string, options: ChangeOptions) =>
      atKeys(options, async (client, path) => {
        const { key } = await client.patch<{ key: ListedKey }>(keyPath(path, kid), {
          ...(options.description !== undefined && { description: options.description }),
          ...(options.expires !== undefined && { expires_at: options.expires || null }),
          ...(options.allowIp && { ip_allow: options.allowIp }),
          ...(options.allowAnyIp && { ip_allow: null }),
        });
        print(describe(key));
      }),
    );

  command
    .command("rotate")
    .description("Make a key that may do the same, and end the old one after a while.")
    .argument(...keyId)
    .option(
      "--overlap <time>",
      "how long the old key goes on working: 0 to 7d; 24h unless said",
      parseDuration,
    )
    .option(
      "--expires <when>",
      "when the new key ends; lives as long as the old one unless said",
      (text) => parseInstant(text),
    )
    .option(...project)
    .action((kid: string, options: RotateOptions) =>
      atKeys(options, async (client, path) => {
        const { secret, replaced } = await client.post<{ secret: string; replaced: ListedKey }>(
          `${keyPath(path, kid)}/rotate`,
          {
            ...(options.overlap !== undefined && { overlap_seconds: options.overlap / 1000 }),
            ...(options.expires !== undefined && { expires_at: options.expires }),
          },
        );
        print(`VALET_API_KEY=${secret}`);
        print(`# ${kid} works until ${replaced.grace_until}; ${lastUse(replaced)}.`);
      }),
    );

  command
    .command("end-grace")
    .description("End the time that a replaced key goes on working.")
    .argument(...keyId)
    .option(...project)
    .action((kid: string, options: InProject) =>
      atKeys(options, async (client, path) => {
        const { key } = await client.post<{ key: ListedKey }>(`${keyPath(path, kid)}/end-grace`);
        print(`${kid} is refused from now on; ${lastUse(key)}. Sessions made with it live on.`);
      }),
    );

  command
    .command("disable")
    .description("Refuse a key and its sessions until it is enabled again.")
    .argument(...keyId)
    .option(...project)
    .action((kid: string, options: InProject) =>
      atKeys(options, async (client, path) => {
        print(`Disabled ${kid}. ${await end(client, `${keyPath(path, kid)}/disable`)}`);
      }),
    );

  command
    .command("enable")
    .description("Let a disabled key be used again, and those of its sessions that have not ended.")
    .argument(...keyId)
    .option(...project)
    .action((kid: string, options: InProject) =>
      atKeys(options, async (client, path) => {
        await client.post(`${keyPath(path, kid)}/enable`);
        print(`Enabled ${kid}.`);
      }),
    );

  command
    .command("revoke")
    .description("End a key, every session made with it and every answer being streamed.")
    .argument(...keyId)
    .option(...project)
    .action((kid: string, options: InProject) =>
      atKeys(options, async (client, path) => {
        print(`Revoked ${kid}. ${await end(client, `${keyPath(path, kid)}/revoke`)}`);
      }),
    );
  return command;
}

function keyPath(path: string, kid: string): string {
  return `${path}/${encodeURIComponent(kid)}`;
}

async function end(client: ControlClient, path: string): Promise<string> {
  const ended = await client.post<{ ended_sessions: number; ended_streams: number }>(path);
  return `Ended: ${ended.ended_sessions} live sessions, ${ended.ended_streams} answers being streamed.`;
}

function describe(key: ListedKey): string {
  const parts = [key.id, key.name, describeState(key), lastUse(key)];
  if (key.expires_at !== null && key.state !== "expired") parts.push(`ends ${key.expires_at}`);
  if (key.ip_allow !== null) parts.push(`from ${key.ip_allow.join(" ")}`);
  parts.push(key.scopes.join(" "));
  return parts.join("  ");
}

function describeState(key: ListedKey): string {
  switch (key.state) {
    case "revoked":
      return `revoked ${key.revoked_at}`;
    case "disabled":
      return `disabled ${key.disabled_at}`;
    case "expired":
      return `expired ${key.expires_at}`;
    case "in_grace":
      return `replaced by ${key.replaced_by}, works until ${key.grace_until}, ${key.grace_calls} calls since`;
    case "rotated":
      return `replaced by ${key.replaced_by}, ${key.grace_calls} calls after that`;
    default:
      return key.state;
  }
}

function lastUse({ last_used_at }: ListedKey): string {
  return last_used_at === null ? "never used" : `last used ${last_used_at}`;
}
