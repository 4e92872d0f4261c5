import { Command } from "commander";
import type { Config } from "../config.ts";
import { ControlError } from "../control/control-client.ts";
import { chooseProject } from "./choose-project.ts";
import { withServer } from "./connect.ts";
import { writeLines } from "./write-lines.ts";

/** `valet export-owner OWNER`. */
export function exportOwnerCommand(config: () => Config): Command {
  return new Command("export-owner")
    .description("Write all that is kept about one owner as lines of JSON to standard output.")
    .argument("<owner>", "the external_owner_id that sessions were made with")
    .option("--project <id>", "the project; needed when there are several")
    .option("--output <file>", "write to a file instead")
    .action(async (owner: string, options: { project?: string; output?: string }) => {
      await withServer(config(), async (client) => {
        const id = await chooseProject(client, options.project);
        const lines = client.lines<{ type: string }>(`/projects/${id}/owners/export`, { owner });
        await writeLines(untilTheEnd(lines), options.output);
      });
    });
}

/** @throws {@link ControlError} When the last line is not the one that says so. */
async function* untilTheEnd<Line extends { type: string }>(
  lines: AsyncIterable<Line>,
): AsyncGenerator<Line> {
  let last: string | undefined;
  for await (const line of lines) {
    last = line.type;
    yield line;
  }
  if (last !== "end") throw new ControlError("The export was cut off. Run the command again.");
}
