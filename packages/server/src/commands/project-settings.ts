import type { Command } from "commander";
import type { Config } from "../config.ts";
import { ControlError } from "../control/control-client.ts";
import { chooseProject } from "./choose-project.ts";
import { withServer } from "./connect.ts";

/** Adds `settings`, `disable` and `enable` to `valet projects`. */
export function addProjectSettings(
  command: Command,
  config: () => Config,
  print: (line: string) => void,
): void {
  const project = ["--project <id>", "the project; needed when there are several"] as const;

  command
    .command("settings")
    .description("Print the settings of a project as JSON, or set them.")
    .option("--set <json>", "puts these in the place of all that was set; `{}` sets nothing")
    .option(...project)
    .action(async (options: { set?: string; project?: string }) => {
      const wanted = options.set === undefined ? undefined : parse(options.set);
      await withServer(config(), async (client) => {
        const id = await chooseProject(client, options.project);
        const path = `/projects/${id}/settings`;
        const { settings } = await (wanted === undefined
          ? client.get<{ settings: unknown }>(path)
          : client.put<{ settings: unknown }>(path, wanted));
        print(JSON.stringify(settings, null, 2));
      });
    });

  for (const verb of ["disable", "enable"] as const) {
    command
      .command(verb)
      .description(
        verb === "disable"
          ? "Switch a project off: its sessions are refused, and none are made."
          : "Switch a project on again.",
      )
      .option(...project)
      .action(async (options: { project?: string }) => {
        await withServer(config(), async (client) => {
          const id = await chooseProject(client, options.project);
          await client.post(`/projects/${id}/${verb}`);
          print(`${id} is ${verb}d.`);
        });
      });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ControlError("--set takes JSON, such as '{\"retention_days\": 30}'.");
  }
}
