import { Command } from "commander";
import type { Config } from "../config.ts";
import { withServer } from "./connect.ts";
import { addProjectSettings } from "./project-settings.ts";

interface ListedProject {
  readonly id: string;
  readonly name: string;
  readonly team_id: string | null;
}

/** `valet projects list|create|settings|disable|enable`. */
export function projectsCommand(config: () => Config, print: (line: string) => void): Command {
  const command = new Command("projects").description("List, make and set projects.");
  const team = ["--team <id>", "the team, as `valet teams list` prints it"] as const;

  command
    .command("list")
    .description("List the projects.")
    .option(...team)
    .action(async (options: { team?: string }) => {
      await withServer(config(), async (client) => {
        const { projects } = await client.get<{ projects: ListedProject[] }>("/projects");
        for (const { id, name, team_id } of projects) {
          if (options.team !== undefined && team_id !== options.team) continue;
          print(`${id}  ${name}  ${team_id ?? "in no team"}`);
        }
      });
    });

  command
    .command("create")
    .description("Make a project, and print its id.")
    .requiredOption("--name <name>", "what to call it")
    .option(...team)
    .action(async ({ name, team: teamId }: { name: string; team?: string }) => {
      await withServer(config(), async (client) => {
        const { project } = await client.post<{ project: ListedProject }>("/projects", {
          name,
          ...(teamId !== undefined && { team_id: teamId }),
        });
        print(project.id);
      });
    });
  addProjectSettings(command, config, print);
  return command;
}
