import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import type { z } from "zod";
import type { Config } from "../config.ts";
import { ControlError } from "../control/control-client.ts";
import type { erasedAnswer } from "../erasure/routes.ts";
import { chooseProject } from "./choose-project.ts";
import { withServer } from "./connect.ts";

interface EraseOwnerOptions {
  readonly owner: string;
  readonly project?: string;
  readonly forgetBlock?: boolean;
  readonly yes?: boolean;
}

/** `valet erase-owner --owner X`. */
export function eraseOwnerCommand(config: () => Config, print: (line: string) => void): Command {
  return new Command("erase-owner")
    .description("Erase all that is kept about one owner. It cannot be undone.")
    .requiredOption("--owner <id>", "the external_owner_id that sessions were made with")
    .option("--project <id>", "the project; needed when there are several")
    .option("--forget-block", "let go of a block of the owner as well")
    .option("--yes", "do not ask")
    .action(async ({ owner, project, forgetBlock = false, yes = false }: EraseOwnerOptions) => {
      await withServer(config(), async (client) => {
        const id = await chooseProject(client, project);
        if (!yes) await confirm(`Erase everything about ${owner} in project ${id}?`);
        const erased = await client.post<z.output<typeof erasedAnswer>>(
          `/projects/${id}/owners/erase`,
          { owner, forget_block: forgetBlock },
        );
        const { threads, messages, sessions, ended_streams: streams } = erased;
        print(
          `Erased ${threads} conversations with ${messages} messages and ${sessions} sessions; cut ${streams} answers.`,
        );
        if (!erased.log_cleared) {
          print(
            "A backup was reading the database. Run this again after it, for the database's log.",
          );
        }
      });
    });
}

async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new ControlError("Say --yes, or run the command in a terminal.");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${question} It cannot be undone. Type yes: `);
    if (answer.trim() !== "yes") throw new ControlError("Nothing was erased.");
  } finally {
    lines.close();
  }
}
