import { Command } from "commander";
import type { Config } from "../config.ts";
import { withServer } from "./connect.ts";

interface ListedTeam {
  readonly id: string;
  readonly name: string;
  readonly members: number;
  readonly projects: number;
}

/** `valet teams list|create|add`. */
export function teamsCommand(config: () => Config, print: (line: string) => void): Command {
  const command = new Command("teams").description("List and make teams, and add people to them.");

  command
    .command("list")
    .description("List the teams.")
    .action(async () => {
      await withServer(config(), async (client) => {
        const { teams } = await client.get<{ teams: ListedTeam[] }>("/teams");
        if (teams.length === 0) print("There is no team yet. The first account makes one.");
        for (const { id, name, members, projects } of teams) {
          print(`${id}  ${name}  members: ${members}  projects: ${projects}`);
        }
      });
    });

  command
    .command("create")
    .description("Make a team. `valet setup-link --team ID` makes a link into it.")
    .requiredOption("--name <name>", "what to call it")
    .action(async ({ name }: { name: string }) => {
      await withServer(config(), async (client) => {
        print((await client.post<{ team: ListedTeam }>("/teams", { name })).team.id);
      });
    });

  command
    .command("add")
    .description("Let somebody who has an account into a team.")
    .argument("<team-id>", "as `valet teams list` prints it")
    .argument("<email>", "the address of their account")
    .action(async (teamId: string, email: string) => {
      await withServer(config(), async (client) => {
        await client.post(`/teams/${encodeURIComponent(teamId)}/members`, { email });
        print(`Added ${email}.`);
      });
    });
  return command;
}
