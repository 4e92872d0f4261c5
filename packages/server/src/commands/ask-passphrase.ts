import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { ControlError } from "../control/control-client.ts";

/**
 * The passphrase of a backup: `VALET_BACKUP_PASSPHRASE`, else asked for at the terminal without
 * showing it. Never an argument: those can be read in the list of processes.
 *
 * @param given The variable's value.
 * @param options.twice Whether it is typed again, for a passphrase that is new.
 * @throws {@link ControlError} without a terminal, or when the second one is another.
 */
export async function askPassphrase(
  given: string | undefined,
  { twice }: { readonly twice: boolean },
): Promise<string> {
  if (given !== undefined) return given;
  if (!process.stdin.isTTY) {
    throw new ControlError("Set VALET_BACKUP_PASSPHRASE, or run the command in a terminal.");
  }
  const first = await askHidden("Passphrase of the backup: ");
  if (twice && (await askHidden("Once more: ")) !== first) {
    throw new ControlError("The two passphrases differ.");
  }
  return first;
}

async function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_piece, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
