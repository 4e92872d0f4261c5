import { resolve } from "node:path";
import { Command } from "commander";
import type { Config } from "../config.ts";
import { ControlError } from "../control/control-client.ts";
import type { IngestProgress, IngestResult } from "../knowledge/knowledge.ts";
import { chooseProject } from "./choose-project.ts";
import { withServer } from "./connect.ts";

/** A line of the answer to an ingestion. */
export interface IngestLine {
  readonly progress?: IngestProgress;
  readonly result?: IngestResult;
  readonly error?: string;
}

/** `valet ingest PATH`. */
export function ingestCommand(
  config: () => Config,
  print: (line: string) => void,
  fail: (line: string) => void,
): Command {
  return new Command("ingest")
    .description("Read Markdown and MDX into a project's knowledge base. Run it again to refresh.")
    .argument("<path>", "a folder or a file")
    .option("--base-url <url>", "where these pages stand on the web; without it Valet serves them")
    .option("--project <id>", "the project; needed when there are several")
    .action(async (path: string, options: { baseUrl?: string; project?: string }) => {
      await withServer(config(), async (client) => {
        const id = await chooseProject(client, options.project);
        const lines = client.lines<IngestLine>(`/projects/${id}/ingest`, {
          path: resolve(path),
          ...(options.baseUrl !== undefined && { base_url: options.baseUrl }),
        });
        for await (const { result, error } of lines) {
          if (error !== undefined) throw new ControlError(error);
          if (result === undefined) continue;
          for (const failure of result.failures) {
            fail(`${failure.path}: ${failure.message} (${failure.code})`);
          }
          print(summary(result));
        }
      });
    });
}

/** What an ingestion did, in a line. */
export function summary(result: IngestResult): string {
  const { added, changed, unchanged, removed, chunks, failures } = result;
  const parts = [`${added} added`, `${changed} changed`, `${unchanged} unchanged`];
  if (removed > 0) parts.push(`${removed} removed`);
  if (failures.length > 0) parts.push(`${failures.length} failed`);
  return `Pages: ${parts.join(", ")}. Passages: ${chunks}.`;
}
