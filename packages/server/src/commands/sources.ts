import { Command } from "commander";
import type { Config } from "../config.ts";
import { chooseProject } from "./choose-project.ts";
import { withServer } from "./connect.ts";

interface ListedSource {
  readonly id: string;
  readonly path: string;
  readonly documents: number;
}

/** `valet sources list|remove`. */
export function sourcesCommand(config: () => Config, print: (line: string) => void): Command {
  const command = new Command("sources").description("List and remove what was ingested.");
  const project = ["--project <id>", "the project; needed when there are several"] as const;

  command
    .command("list")
    .description("List the sources of a project.")
    .option(...project)
    .action(async (options: { project?: string }) => {
      await withServer(config(), async (client) => {
        const id = await chooseProject(client, options.project);
        const { sources } = await client.get<{ sources: ListedSource[] }>(
          `/projects/${id}/sources`,
        );
        if (sources.length === 0) print("Nothing was ingested yet. See `valet ingest --help`.");
        for (const source of sources) {
          print(`${source.id}  ${source.documents} pages  ${source.path}`);
        }
      });
    });

  command
    .command("remove")
    .description("Remove a source and all its pages.")
    .argument("<source-id>", "as `valet sources list` prints it")
    .option(...project)
    .action(async (sourceId: string, options: { project?: string }) => {
      await withServer(config(), async (client) => {
        const id = await chooseProject(client, options.project);
        await client.delete(`/projects/${id}/sources/${encodeURIComponent(sourceId)}`);
        print(`Removed ${sourceId}.`);
      });
    });
  return command;
}
