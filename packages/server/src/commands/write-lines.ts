import { once } from "node:events";
import { createWriteStream } from "node:fs";

/** Writes lines of JSON as they come, to a file that only its owner reads, or to standard output. */
export async function writeLines(
  lines: AsyncIterable<unknown>,
  file: string | undefined,
): Promise<void> {
  const target = file === undefined ? process.stdout : createWriteStream(file, { mode: 0o600 });
  for await (const line of lines) {
    if (!target.write(`${JSON.stringify(line)}\n`)) await once(target, "drain");
  }
  if (file === undefined) return;
  target.end();
  await once(target, "finish");
}
