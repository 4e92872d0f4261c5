import { Command, InvalidArgumentError } from "commander";
import { AuditFileError, verifyAuditFile } from "../audit/audit-export.ts";
import { anchorText } from "../audit/control-routes.ts";
import {
  type AuditAnchor,
  type AuditBreak,
  type AuditVerdict,
  describeBreak,
  describeFault,
} from "../audit/verify-audit.ts";
import type { Config } from "../config.ts";
import { ControlError } from "../control/control-client.ts";
import { chooseProject } from "./choose-project.ts";
import { withServer } from "./connect.ts";
import { writeLines } from "./write-lines.ts";

/** `valet audit verify|export|reference`. */
export function auditCommand(
  config: () => Config,
  print: (line: string) => void,
  fail: (line: string) => void,
): Command {
  const command = new Command("audit").description("Verify and export who did what.");

  command
    .command("verify")
    .description("Check that no line of the audit was changed, deleted, moved or cut off.")
    .argument("[file]", "an export; without it, the audit of the server")
    .option(
      "--anchor <n:hash>",
      "an anchor that the server wrote to its log; may be given several times",
      readAnchor,
      [],
    )
    .action(async (file: string | undefined, { anchor: anchors }: { anchor: AuditAnchor[] }) => {
      const verdict = file === undefined ? await verify(anchors) : await verifyFile(file, anchors);
      if (!verdict.ok) return fail(describeFault(verdict));
      const { first, n, hash, breaks = [] } = verdict;
      for (const each of breaks) print(describeBreak(each));
      const known = breaks.length === 0 ? "" : " but for what is said above";
      print(
        n < first
          ? "The audit has no lines."
          : `Lines ${first} to ${n} are whole${known}. ${n}:${hash}`,
      );
    });

  command
    .command("reseal")
    .description(
      "Seal an audit again that was found broken. The break stays in it, with the reason, for good.",
    )
    .requiredOption("--reason <text>", "what was found out about the break")
    .action(async ({ reason }: { reason: string }) => {
      await withServer(config(), async (client) => {
        const found = await client.post<AuditBreak>("/audit/reseal", { reason });
        print(describeBreak(found));
      });
    });

  command
    .command("export")
    .description("Write the audit as lines of JSON to standard output.")
    .option("--project <id>", "only the lines of a project; such an export cannot be verified")
    .option("--output <file>", "write to a file instead")
    .action(async ({ project, output }: { project?: string; output?: string }) => {
      await withServer(config(), async (client) => {
        const id = project === undefined ? undefined : await chooseProject(client, project);
        const query = id === undefined ? "" : `?project=${id}`;
        await writeLines(client.lines(`/audit/export${query}`, {}), output);
      });
    });

  command
    .command("reference")
    .description("Print the name by which an owner or a visitor stands in the audit.")
    .option("--owner <id>", "the owner's id, as your server sends it")
    .option("--visitor <id>", "the visitor's id")
    .option("--project <id>", "the project; needed when there are several")
    .action(async (options: { owner?: string; visitor?: string; project?: string }) => {
      const { owner, visitor } = options;
      if ((owner === undefined) === (visitor === undefined)) {
        throw new ControlError("Name either --owner or --visitor.");
      }
      await withServer(config(), async (client) => {
        const project = await chooseProject(client, options.project);
        const who = owner === undefined ? { visitor: visitor ?? "" } : { owner };
        const query = new URLSearchParams({ project, ...who });
        print((await client.get<{ target: string }>(`/audit/reference?${query}`)).target);
      });
    });

  const verify = (anchors: readonly AuditAnchor[]): Promise<AuditVerdict> =>
    withServer(config(), (client) => client.post<AuditVerdict>("/audit/verify", { anchors }));
  return command;
}

async function verifyFile(file: string, anchors: readonly AuditAnchor[]): Promise<AuditVerdict> {
  try {
    return await verifyAuditFile(file, anchors);
  } catch (error) {
    if (error instanceof AuditFileError) throw new ControlError(error.message);
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new ControlError(`There is no file ${file}.`);
    }
    throw error;
  }
}

function readAnchor(text: string, before: AuditAnchor[]): AuditAnchor[] {
  const [, n, hash] = anchorText.exec(text) ?? [];
  if (n === undefined || hash === undefined) {
    throw new InvalidArgumentError("Write it as in the log: the number, a colon, 64 characters.");
  }
  return [...before, { n: Number(n), hash }];
}
