import type { Readable } from "node:stream";
import { Command } from "commander";
import { parseApiKey } from "../api-keys/api-key-format.ts";

const maxBytes = 1024 * 1024;

/**
 * `valet keys verify-format`: whether lines of text are well-formed keys, by shape and checksum. It
 * asks no server, and prints the public id of a key, never the key.
 */
export function keyFormatCommand(
  input: Readable,
  print: (line: string) => void,
  fail: (line: string) => void,
): Command {
  return new Command("verify-format")
    .description(
      "Say of each line on standard input whether it is a well-formed key. Needs no server.",
    )
    .action(async () => {
      const lines = (await readAll(input)).split("\n").map((line) => line.trim());
      const texts = lines.filter((line) => line !== "");
      if (texts.length === 0) return fail("Standard input has no text to look at.");
      for (const text of texts) {
        const kid = parseApiKey(text);
        if (kid === undefined) fail("not a key");
        else print(`well-formed key ${kid}`);
      }
    });
}

async function readAll(input: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of input) {
    const buffer = Buffer.from(piece as Buffer | string);
    bytes += buffer.byteLength;
    if (bytes > maxBytes) throw new Error("Standard input holds more than a megabyte.");
    pieces.push(buffer);
  }
  return Buffer.concat(pieces).toString("utf8");
}
